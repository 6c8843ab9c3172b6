"""Plans: made once for a document, an operation, a view and the shapes of its arguments, then run.

A plan is one SQL statement with a column of JSON text for each root field. Its key holds whatever
the statement's text depends on: the view of the actor (`Actor.view`), the values of variables in
@skip and @include, and of each field with arguments which of them are given, how they order and
which way they page. Values, tenant and person are parameters; where a selector looks at the person
or the tenant itself, they join the key.

Whatever would end in an error is left to the executor, so there is one place that words errors.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    is_composite_type,
    visit,
)
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli.tenancy.context import connection
from linli_api.connections import Asked
from linli_api.documents import Document, grown, is_query, nodes_below, uses_variables
from linli_api.errors import AnswerTooLarge
from linli_api.planner.compiling import Compiler, Measuring, Sizes, declared_fields
from linli_api.planner.holes import Reading, Unplanned
from linli_api.planner.sql import Sql, joined, numbered, param, sql
from linli_api.planner.variables import Variables

KEPT = 64  # plans of one operation
# What one takes in memory, about: as found by tracemalloc, with its statements made.
LEAST_BYTES, BYTES_A_CHARACTER = 3_000, 8
# So many times what an answer may hold may be put together without being measured first.
UNMEASURED = 2
# No JSON text is empty.
TOO_LARGE = ""

Use = tuple[FieldNode, GraphQLField, Any]


@dataclass(frozen=True)
class Plan:
    """keys: of the root fields, in the order of the columns. A column that comes back NULL means
    that the executor has something to say. sizes: what the answer may come to; before: a column that
    is `TOO_LARGE` or not, to be asked for first where that is much too much."""

    keys: tuple[str, ...]
    columns: Sql
    sizes: Sizes
    before: Sql

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return LEAST_BYTES + BYTES_A_CHARACTER * (len(self.columns.text) + len(self.before.text))

    @cached_property
    def statement(self) -> str:
        return f"SELECT {numbered(self.columns)[0]}"

    @cached_property
    def params(self) -> tuple[Any, ...]:
        """Constants and readings."""
        return numbered(self.columns)[1]

    def beside(self, first: str, params: int) -> str:
        """The statement with the column ``first`` in front, which has so many parameters."""
        if (first, params) not in self._beside:
            columns, _params = numbered(self.columns, after=params)
            # With nothing to answer, as where all of it is skipped, there is the one column.
            self._beside[first, params] = f"SELECT ({first})" + (columns and f", {columns}")
        return self._beside[first, params]

    def first(self, run: "Run") -> tuple[str, list[Any]] | None:
        """The statement that measures, with its parameters; None where nothing has to be measured.

        PostgreSQL makes JSON in memory, several times over.
        """
        most = self.sizes.most(lambda node: run.asked(node).cut.size)
        if most <= UNMEASURED * settings.LINLI_ANSWER_BYTES:
            return None
        before, params = numbered(self.before)
        return f"SELECT {before}", _values(params, run)

    @cached_property
    def _beside(self) -> dict[tuple[str, int], str]:
        return {}

    def answer(self, columns: Sequence[str | None]) -> str | None:
        """The JSON text of ``data``; None where the executor is to answer. Raises AnswerTooLarge."""
        if None in columns:
            return None
        if TOO_LARGE in columns:
            raise AnswerTooLarge
        parts = (f'"{key}":{column}' for key, column in zip(self.keys, columns, strict=True))
        return "{" + ",".join(parts) + "}"


def _values(params: Sequence[Any], run: "Run") -> list[Any]:
    return [one.read(run) if isinstance(one, Reading) else one for one in params]


class Ready(NamedTuple):
    """A plan with the values of its parameters; first: what measures it, as `Plan.first`."""

    plan: Plan
    params: list[Any]
    first: tuple[str, list[Any]] | None


class Run:
    """One request as plans read it: the actor, the variables, and what arguments come to."""

    def __init__(
        self,
        document: Document,
        actor: Actor,
        variables: Mapping[str, Any],
        asked: Mapping[int, Any],
    ) -> None:
        self.document, self.actor, self.variables = document, actor, dict(variables)
        self._asked = asked

    def asked(self, node: FieldNode) -> Any:
        try:
            return self._asked[id(node)]
        except KeyError:
            raise Unplanned("a field with arguments that nobody reads") from None


class Planned:
    """All that is kept of one operation."""

    def __init__(self, document: Document, operation: OperationDefinitionNode) -> None:
        self.document, self.operation = document, operation
        self._variables = Variables(document.schema, operation)
        self._uses = _uses(document, operation)
        self._varying = [u for u in self._uses if uses_variables(u[0]) or _at_cursor(u[0])]
        self._fixed: dict[int, Any] | None = None
        self._conditions = _conditions(document, operation)
        self._plans: OrderedDict[Hashable, Plan | None] = OrderedDict()
        self._personal: set[Hashable] = set()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        with self._lock:
            return LEAST_BYTES + sum(plan.size for plan in self._plans.values() if plan)

    def answer(self, actor: Actor, inputs: Mapping[str, Any]) -> str | None:
        """The JSON text of ``data``; None where the executor is to answer. Raises AnswerTooLarge."""
        ready = self.ready(actor, inputs, self._plan)
        if ready is None:
            return None
        if ready.first and TOO_LARGE in connection.fetch_prepared(*ready.first):
            raise AnswerTooLarge
        columns = connection.fetch_prepared(ready.plan.statement, ready.params)
        return ready.plan.answer(columns) if columns is not None else None

    def known(self, actor: Actor, inputs: Mapping[str, Any]) -> Ready | None:
        """What answers it at once, if its plan was made before. Asks nothing of the database."""
        ready = self.ready(actor, inputs, self._kept_plan)
        return ready if ready and ready.first is None else None

    def ready(
        self, actor: Actor, inputs: Mapping[str, Any], plan_of: Callable[["Run"], Plan | None]
    ) -> Ready | None:
        try:
            run = self._run(actor, inputs)
        except (Refused, GraphQLError, Unplanned):
            return None
        plan = plan_of(run)
        if plan is None:
            return None
        return Ready(plan, _values(plan.params, run), plan.first(run))

    def _run(self, actor: Actor, inputs: Mapping[str, Any]) -> Run:
        """Raises what the arguments are refused with."""
        variables = self._variables.coerced(inputs)
        if self._fixed is None:
            fixed = [use for use in self._uses if use not in self._varying]
            self._fixed = self._read(fixed, {}, None)
        asked = self._fixed | self._read(self._varying, variables, actor.tenant_id)
        return Run(self.document, actor, variables, asked)

    def _read(
        self, uses: Sequence[Use], variables: dict[str, Any], tenant_id: UUID | None
    ) -> dict[int, Any]:
        """What the arguments come to, by field."""
        return {
            id(node): declared.asked(get_argument_values(field, node, variables), tenant_id)
            for node, field, declared in uses
        }

    def _kept_plan(self, run: Run) -> Plan | None:
        key = self._key(run)
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def _key(self, run: Run) -> Hashable:
        view = self._view(run)
        return (view, *_whose(run.actor)) if view in self._personal else view

    def _view(self, run: Run) -> Hashable:
        return (
            run.actor.view,
            tuple(_frozen(run.variables.get(name)) for name in self._conditions),
            tuple(_shape(run.asked(node)) for node, _field, _declared in self._uses),
        )

    def _plan(self, run: Run) -> Plan | None:
        key = self._key(run)
        with self._lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        plan, personal = self._made(run)
        with self._lock:
            if personal:
                if len(self._personal) > KEPT:  # what is forgotten is found out again
                    self._personal.clear()
                self._personal.add(self._view(run))
            self._plans[self._key(run)] = plan
            if len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        grown(self.document)
        return plan

    def _made(self, run: Run) -> tuple[Plan | None, bool]:
        compiler = Compiler(run)
        try:
            return self._compiled(compiler, run), compiler.actor.personal
        except (Unplanned, EmptyResultSet):
            return None, compiler.actor.personal

    def _compiled(self, compiler: Compiler, run: Run) -> Plan:
        document = self.document
        root = document.schema.query_type
        if root is None or not is_query(self.operation):
            raise Unplanned("no query")
        fields = collect_fields(
            document.schema, document.fragments, run.variables, root, self.operation.selection_set
        )
        keys, columns, measured = [], [], [Sql("0")]
        measuring = Measuring(run)
        for key, nodes in fields.items():
            name = nodes[0].name.value
            if name == "__typename":
                columns.append(Sql(f"'\"{root.name}\"'"))
            elif name.startswith("__"):
                raise Unplanned("introspection")
            else:
                columns.append(compiler.field(root, name, nodes, None))
                if is_composite_type(get_named_type(root.fields[name].type)):
                    size = measuring.field(root, name, nodes, None)
                    measured.append(sql("coalesce({}, 0)", size))
            keys.append(key)
        before = _before(joined(measured, " + "))
        return Plan(tuple(keys), _in_bounds(keys, columns), compiler.sizes, before)


def _before(measured: Sql) -> Sql:
    """Whether the answer may be made at all, from what its texts come to."""
    most = param(Reading(lambda _run: settings.LINLI_ANSWER_BYTES), "bigint")
    return sql(f"CASE WHEN {{}} > {{}} THEN '{TOO_LARGE}' ELSE 'fits' END", measured, most)


def _in_bounds(keys: list[str], columns: list[Sql]) -> Sql:
    """The columns as text, or `TOO_LARGE` in their place: what is not sent is never in our memory.

    Where one is NULL none is measured: the executor answers. OFFSET 0 keeps PostgreSQL from making them
    twice, once to measure them.
    """
    if not columns:  # all of it is skipped
        return Sql("")
    names = [f"column{number}" for number in range(len(columns))]
    around = len("{}") + sum(len(f'"{key}":,') for key in keys) - len(",")
    size = " + ".join([str(around), *(f"octet_length({name})" for name in names)])
    most = param(Reading(lambda _run: settings.LINLI_ANSWER_BYTES), "bigint")
    measured = [
        sql(f"CASE WHEN {size} > {{}} THEN '{TOO_LARGE}' ELSE {name} END", most) for name in names
    ]
    made = joined([sql("({})::text", column) for column in columns])
    listed = ", ".join(names)
    return sql(f"{{}} FROM (SELECT {{}} OFFSET 0) AS whole({listed})", joined(measured), made)


def planned_answer(
    document: Document,
    operation_name: str | None,
    actor: Actor | None,
    inputs: Mapping[str, Any],
) -> str | None:
    """The JSON text of ``data``, if the planner knows all of the operation; None if it does not."""
    planned = _planned(document, operation_name) if actor else None
    return planned.answer(actor, inputs) if planned else None  # type: ignore[arg-type]


def known_plan(
    document: Document, operation_name: str | None, actor: Actor, inputs: Mapping[str, Any]
) -> Ready | None:
    """What answers the operation, if its plan was made before; asks nothing of the database."""
    planned = _planned(document, operation_name)
    return planned.known(actor, inputs) if planned else None


def _planned(document: Document, operation_name: str | None) -> Planned | None:
    operation = document.operation(operation_name)
    if operation is None or not is_query(operation):
        return None
    planned = document.plans.get(operation_name)
    if planned is None:
        planned = document.plans[operation_name] = Planned(document, operation)
        grown(document)
    return planned


def _uses(document: Document, operation: OperationDefinitionNode) -> list[Use]:
    """The fields whose arguments somebody reads, each with its declarations."""
    found: list[Use] = []
    info = TypeInfo(document.schema)
    reached = {id(node) for node in nodes_below(operation, document.fragments)}

    class Collecting(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent, field = info.get_parent_type(), info.get_field_def()
            if id(node) not in reached or not isinstance(parent, GraphQLObjectType) or not field:
                return
            if node.name.value.startswith("__") or parent.name.startswith("__"):
                return
            _attribute, declared = declared_fields(parent)[node.name.value]
            if hasattr(declared, "asked"):
                found.append((node, field, declared))

    visit(document.node, TypeInfoVisitor(info, Collecting()))
    return found


def _conditions(document: Document, operation: OperationDefinitionNode) -> list[str]:
    """The variables that decide which fields there are."""
    return sorted(
        {
            below.name.value
            for node in nodes_below(operation, document.fragments)
            for directive in getattr(node, "directives", None) or ()
            for below in nodes_below(directive, {})
            if isinstance(below, VariableNode)
        }
    )


def _at_cursor(node: FieldNode) -> bool:
    """Whether a cursor stands in the document: it is good at the tenant whose it is."""
    return any(argument.name.value in ("after", "before") for argument in node.arguments)


def _whose(actor: Actor) -> tuple[Hashable, ...]:
    return actor.person_id, actor.client_id, actor.tenant_id


def _shape(asked: Any) -> Any:
    """What of the arguments the text of the statement depends on."""
    if isinstance(asked, dict):
        return tuple((name, _type(value)) for name, value in asked.items())
    if not isinstance(asked, Asked):
        return type(asked)
    cut = asked.cut
    return (
        cut.columns,
        cut.backward,
        cut.after is None,
        cut.before is None,
        tuple((lookup, _type(value)) for lookup, value in asked.narrowing.items()),
    )


def _type(value: Any) -> Any:
    return (list, type(value[0]) if value else None) if isinstance(value, list) else type(value)


def _frozen(value: Any) -> Hashable:
    return value if isinstance(value, Hashable) else repr(value)
