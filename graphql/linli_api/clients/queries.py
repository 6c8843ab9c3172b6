"""The same questions at both sides."""

from linli_api.clients.types import Client, PersonalToken
from linli_api.connections import Connection
from linli_api.fields import ById


class Query:
    client = ById(Client, description="One client.")
    clients = Connection(Client, description="The programs that may enter, the revoked ones too.")
    personal_tokens = Connection(PersonalToken, description="Your own tokens that are good here.")
