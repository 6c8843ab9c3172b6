import os, sys, time, cProfile, pstats, io, json
os.environ["DJANGO_SETTINGS_MODULE"]="linli.settings"; os.environ["LINLI_LOGIN"]="app"; os.environ["LINLI_ENV"]="production"; os.environ["LINLI_SECRET_KEY"]="x"
from linli.wsgi import application
from django.conf import settings
from linli.registry.models import Tenant
from linli.accounts.policy import system_actor
from linli.clients.actions import create_client
from linli.budget.actions import agree_points
from linli.tenancy.context import tenant_context
from benchmarks.queries import LINLI
from benchmarks.data import *
from benchmarks.token import SCOPES
from urllib.parse import urlencode
from uuid import uuid4
def call(path, body, ctype="application/json", **h):
    env={"REQUEST_METHOD":"POST","PATH_INFO":path,"SERVER_NAME":"x","SERVER_PORT":"80","wsgi.input":io.BytesIO(body),"CONTENT_LENGTH":str(len(body)),"CONTENT_TYPE":ctype,"HTTP_HOST":f"{SLUG}.linli.localhost:80","wsgi.url_scheme":"http","wsgi.errors":sys.stderr,"REMOTE_ADDR":"127.0.0.1","SERVER_PROTOCOL":"HTTP/1.1",**h}
    st=[]
    r=application(env,lambda s,hh,e=None: st.append((s,hh)))
    out=b"".join(r); r.close()
    return st[0][0], out
t=Tenant.objects.get(slug=SLUG)
with tenant_context(t):
    c,s=create_client(actor=system_actor(t),name="B"+uuid4().hex[:6],scopes=SCOPES)
    from tenants.communities.models import Community
    from tenants.partners.models import Partner
    cc=Community.objects.first(); p=Partner.objects.first()
agree_points(c.pk,2**31-1)
st,out=call("/oauth/token",urlencode({"grant_type":"client_credentials","client_id":c.client_id,"client_secret":s}).encode(),"application/x-www-form-urlencoded")
tok=json.loads(out)["access_token"]
A={"HTTP_AUTHORIZATION":f"Bearer {tok}"}
for q,v in (("q2",{"id":str(p.pk)}),("q1",{"community":str(cc.pk)})):
    b=json.dumps(LINLI.body(q,v)).encode()
    st,out=call("/graphql",b,**A); print(st,len(out),out[-200:])
    n=400
    c0=time.process_time(); t0=time.perf_counter()
    for _ in range(n): call("/graphql",b,**A)
    print(q,"cpu ms",(time.process_time()-c0)/n*1e3, "wall",(time.perf_counter()-t0)/n*1e3)
    if q=="q2":
        pr=cProfile.Profile(); pr.enable()
        for _ in range(500): call("/graphql",b,**A)
        pr.disable(); ps=pstats.Stats(pr); ps.sort_stats("cumtime").print_stats(70)
