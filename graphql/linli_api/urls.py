from django.urls import path

from linli_api.views import GraphQLView

urlpatterns = [path("", GraphQLView.as_view(), name="graphql")]
