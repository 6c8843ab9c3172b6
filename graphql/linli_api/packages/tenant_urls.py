from django.urls import path

from linli_api.packages.views import upload

urlpatterns = [path("packages", upload, name="packages")]
