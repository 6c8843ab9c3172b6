"""What is told of communities."""

from linli.accounts.policy import Permission
from linli.events.types import EventType, Id, Value, register

READ = Permission.COMMUNITIES_READ

register(
    EventType(
        "community.added",
        "Community",
        READ,
        "A community came on board.",
        {
            "opened_on": Value("Since when.", "Date!"),
            "division_code": Value("12 digits, or null.", "String"),
        },
    ),
    EventType(
        "community.updated",
        "Community",
        READ,
        "What is known of a community was corrected.",
        {
            "changed": Value(
                "The names of the fields that differ now, as the API has them.", "[String!]!"
            )
        },
    ),
    EventType(
        "fact.stated",
        "Fact",
        READ,
        "A published fact was stated or corrected.",
        {
            "community": Id("Community", "About which one; null for the whole unit.", "ID"),
            "key": Value("The fact's key."),
            "corrected": Value("True if it replaced what stood there.", "Boolean!"),
        },
    ),
)
