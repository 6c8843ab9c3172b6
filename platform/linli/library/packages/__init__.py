"""Published versions as signed files, for places that share no installation (M5, ADR 0014)."""
