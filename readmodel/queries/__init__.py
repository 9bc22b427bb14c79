"""Questions asked of the read model."""
