from django.urls import path

from linli_api.reference.views import document_reference, reference

urlpatterns = [
    path("docs", reference, name="api_reference"),
    path("docs/operating-model", document_reference, name="document_reference"),
]
