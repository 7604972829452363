"""A fleet of hosts through the whole stack."""
