"""A receiver of Sentry's events for a laptop, which shows what arrived."""
