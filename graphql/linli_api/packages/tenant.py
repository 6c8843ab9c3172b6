"""What a tenant's schema shows of packages: they are brought in by a unit."""

from linli_api.packages import mutations

MUTATIONS = [mutations.ImportPackage]
