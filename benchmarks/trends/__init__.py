"""Speed of importing game logs."""
