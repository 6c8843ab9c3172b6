import time
from linli.tenancy.context import connection
from tenants.operating_model.selectors import effective_rules
from tests.tenants.operating_model.conftest import *
from linli.registry.hosts import tenant_of_host
from django.test.utils import CaptureQueriesContext

def timed(label, work, n=2000):
    work()
    best=min(_once(work,n) for _ in range(5))
    print(f"{label}: {best*1e6:.0f} us")
def _once(work,n):
    t=time.perf_counter()
    for _ in range(n): work()
    return (time.perf_counter()-t)/n

def test_measure(running, at_street):
    from linli.tenancy.unit import unit_of_work
    chengnan = community(at_street)
    layer(at_street, {RATE: "0.02"}, community=chengnan)
    timed("host", lambda: tenant_of_host("chezhan.linli.localhost"))
    timed("rules", lambda: effective_rules(TODAY), 500)
    timed("rules of community", lambda: effective_rules(TODAY, chengnan.pk), 500)
    r=effective_rules(TODAY)
    timed("value", lambda: r.value(RATE), 500)
    timed("raw", lambda: r.raw, 500)
    with unit_of_work():
        effective_rules(TODAY); timed("warm", lambda: effective_rules(TODAY), 500)
        with CaptureQueriesContext(connection) as c: effective_rules(TODAY)
    print(len(c))
