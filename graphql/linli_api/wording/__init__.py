"""What graphql-core finds wrong with a request, in our words and the caller's language.

graphql-core's own sentences are English and hold what was sent, as Python writes it. Ours name
fields, types and places, never a value. What is not known here gets a general sentence.

`document`: what does not fit the schema. `syntax`: what is no GraphQL. `variables`: what they hold.
"""

from linli_api.wording.document import UniqueInputFieldNames, ValuesOfCorrectType, worded
from linli_api.wording.syntax import syntax_fault
from linli_api.wording.variables import variable_faults

__all__ = [
    "UniqueInputFieldNames",
    "ValuesOfCorrectType",
    "syntax_fault",
    "variable_faults",
    "worded",
]
