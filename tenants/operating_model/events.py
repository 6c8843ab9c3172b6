"""What is told of operating models and rules."""

from linli.accounts.policy import Permission
from linli.events.types import EventType, Fields, Id, Value, register
from linli.library.models import PublishedVersion
from tenants.operating_model.models import Layer

READ = Permission.MODELS_READ

_LAYER: Fields = {
    "kind": Value("Whose it is.", one_of=Layer.Kind),
    "community": Id("Community", "Which community's; null for the whole unit.", "ID"),
    "effective_from": Value("From which day on.", "Date!"),
    "state": Value("Whether it counts.", one_of=Layer.State),
}
register(
    EventType(
        "model_version.written",
        "ModelVersion",
        READ,
        "A version of an operating model was written.",
        {"key": Value("The model's key."), "number": Value("Of the version.", "Int!")},
    ),
    EventType(
        "model_version.published",
        "ModelVersion",
        READ,
        "A version was put into the library.",
        {
            "key": Value("The model's key."),
            "number": Value("Of the version.", "Int!"),
            "visibility": Value("Who sees it.", one_of=PublishedVersion.Visibility),
        },
    ),
    EventType(
        "model_version.visibility_changed",
        "ModelVersion",
        READ,
        "An own version in the library is shown to others than before.",
        {
            "key": Value("The model's key."),
            "number": Value("Of the version.", "Int!"),
            "visibility": Value("Who sees it.", one_of=PublishedVersion.Visibility),
        },
    ),
    EventType(
        "model_version.withdrawn",
        "ModelVersion",
        READ,
        "A version was withdrawn from the library: an own one, or one of which a copy is here.",
        {"key": Value("The model's key."), "number": Value("Of the version.", "Int!")},
    ),
    EventType(
        "model_version.adopted",
        "Adoption",
        READ,
        "A version was adopted: the rules of this unit start from it.",
        {
            "version": Id("ModelVersion", "Which version."),
            "effective_from": Value("From which day on.", "Date!"),
            "layer": Id("Layer", "What was set on top of it with the adoption, or null.", "ID"),
        },
    ),
    EventType("layer.set", "Layer", READ, "Rules were set on top of the model.", _LAYER),
    EventType("policy.landed", "Layer", READ, "A policy from above arrived here.", _LAYER),
    EventType(
        "policy.settled", "Layer", READ, "A policy that had clashed came into force.", _LAYER
    ),
)
