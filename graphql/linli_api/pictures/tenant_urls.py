from django.urls import path

from linli_api.pictures.urls import urlpatterns as fetching
from linli_api.pictures.views import pictures

urlpatterns = [path("pictures", pictures, name="pictures"), *fetching]
