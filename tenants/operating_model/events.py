"""What is told of operating models and rules."""

from linli.accounts.policy import Permission
from linli.events.types import EventType, Fields, Id, Value, register
from linli.library.models import AdoptionRule, PublishedVersion
from tenants.operating_model.models import ChangeRequest, Layer, Upgrade

READ = Permission.MODELS_READ

_LAYER: Fields = {
    "kind": Value("Whose it is.", one_of=Layer.Kind),
    "community": Id("Community", "Which community's; null for the whole unit.", "ID"),
    "effective_from": Value("From which day on.", "Date!"),
    "state": Value("Whether it counts.", one_of=Layer.State),
}
_UPGRADE: Fields = {
    "version": Id("ModelVersion", "The version it leads to."),
    "effective_from": Value("From which day on.", "Date!"),
    "state": Value("What became of it.", one_of=Upgrade.State),
}
_OFFER: Fields = {
    "version": Id("PublishedVersion", "Which version of the library."),
    "effective_from": Value("From which day on it may be taken up.", "Date!"),
    "binding": Value("Whether it has to be applied by a day.", "Boolean!"),
    "to_all": Value("Whether it is made to all units below.", "Boolean!"),
}
_REQUEST: Fields = {
    "kind": Value("What is asked for.", one_of=ChangeRequest.Kind),
    "state": Value("How far it has come.", one_of=ChangeRequest.State),
    "version": Id("ModelVersion", "Which version it is about."),
    "effective_from": Value("From which day on it was asked for.", "Date!"),
    "adoption": Id("Adoption", "What came of it, or null.", "ID"),
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
    EventType(
        "package.imported",
        "PublishedVersion",
        Permission.LIBRARY_READ,
        "A version that came as a signed file was brought into the library by this unit.",
        {
            "key": Value("The model's key."),
            "number": Value("Of the version.", "Int!"),
            "author_name": Value("The unit that wrote it, over there."),
            "digest": Value("SHA-256 over document and bounds."),
        },
    ),
    EventType("layer.set", "Layer", READ, "Rules were set on top of the model.", _LAYER),
    EventType("policy.landed", "Layer", READ, "A policy from above arrived here.", _LAYER),
    EventType(
        "policy.settled", "Layer", READ, "A policy that had clashed came into force.", _LAYER
    ),
    EventType("upgrade.opened", "Upgrade", READ, "An upgrade was begun.", _UPGRADE),
    EventType("upgrade.decided", "Upgrade", READ, "Some of an upgrade was decided.", _UPGRADE),
    EventType("upgrade.applied", "Upgrade", READ, "An upgrade was put in force.", _UPGRADE),
    EventType("upgrade.given_up", "Upgrade", READ, "An upgrade was given up.", _UPGRADE),
    EventType("upgrade.rolled_back", "Upgrade", READ, "An upgrade was rolled back.", _UPGRADE),
    EventType(
        "adoption_rule.set",
        "AdoptionRule",
        READ,
        "This unit laid down how those below it adopt and upgrade.",
        {
            "approver": Value("Who approves.", one_of=AdoptionRule.Approver),
            "upgrades": Value("To which versions they may upgrade.", one_of=AdoptionRule.Upgrades),
            "effective_from": Value("From which day on.", "Date!"),
        },
    ),
    EventType("offer.made", "Offer", READ, "This unit offered a version to units below.", _OFFER),
    EventType("offer.withdrawn", "Offer", READ, "This unit withdrew an offer.", _OFFER),
    EventType(
        "change_request.made",
        "ChangeRequest",
        READ,
        "A change of the rules was asked for and waits for approval.",
        _REQUEST,
    ),
    EventType(
        "change_request.approved", "ChangeRequest", READ, "It was approved and done.", _REQUEST
    ),
    EventType("change_request.returned", "ChangeRequest", READ, "It was declined.", _REQUEST),
    EventType(
        "change_request.withdrawn",
        "ChangeRequest",
        READ,
        "Those who asked took it back, or nothing could come of it any more.",
        _REQUEST,
    ),
)
