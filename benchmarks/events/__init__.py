"""What receiving events costs."""
