from django import template

from linli_api.reference.glossary import described

register = template.Library()
register.filter("described", described)
