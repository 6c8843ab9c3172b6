from django.urls import path

from linli_api.schema import platform_schema
from linli_api.views import GraphQLView

# The base class asks for a schema; which one answers is the host's to say.
view = GraphQLView.as_view(schema=platform_schema)

urlpatterns = [path("", view, name="graphql")]
