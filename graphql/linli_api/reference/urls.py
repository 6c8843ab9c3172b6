from django.urls import path

from linli_api.reference.views import reference

urlpatterns = [path("", reference, name="api_reference")]
