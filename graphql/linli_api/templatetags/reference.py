from django import template

from linli_api.reference.glossary import coded, described

register = template.Library()
register.filter("described", described)
register.filter("coded", coded)
