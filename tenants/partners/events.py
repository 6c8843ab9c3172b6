"""What is told of partners. A partner may be a person, so its name never goes out."""

from linli.accounts.policy import Permission
from linli.events.types import EventType, Id, Value, register
from tenants.partners.models import Agreement

READ = Permission.PARTNERS_READ

register(
    EventType(
        "partner.admitted",
        "Partner",
        READ,
        "A partner was admitted to a community.",
        {
            "community": Id("Community", "Which community."),
            "kind": Value("Key of the model's kind of partner."),
            "is_individual": Value("True for a person.", "Boolean!"),
            "joined_on": Value("Since when.", "Date!"),
        },
    ),
    EventType(
        "partner.updated",
        "Partner",
        READ,
        "What was written down of a partner was corrected.",
        {
            "changed": Value(
                "The names of the fields that differ now, as the API has them.", "[String!]!"
            )
        },
    ),
    EventType(
        "agreement.signed",
        "Agreement",
        READ,
        "A partner and its community agreed on a term.",
        {
            "partner": Id("Partner", "With whom."),
            "mode": Value("How the partner is engaged.", one_of=Agreement.Mode),
            "rule_key": Value("Key of the contribution rule."),
            "starts_on": Value("The first day.", "Date!"),
            "ends_on": Value("The first day not included.", "Date!"),
        },
    ),
    EventType(
        "income.declared",
        "Declaration",
        READ,
        "A partner declared a period, and what it owes was worked out.",
        {
            "agreement": Id("Agreement", "Under which agreement."),
            "contribution": Id("Contribution", "What is owed for it."),
            "starts_on": Value("The first day.", "Date!"),
            "ends_on": Value("The first day not included.", "Date!"),
            "amount_fen": Value("What is owed, in fen.", "Fen!"),
        },
    ),
)
