"""What dagster_celery.app reads when a worker starts: on PYTHONPATH of the workers, under this name."""

import os

broker_url = os.environ["CELERY_BROKER"]
result_backend = os.environ["CELERY_BACKEND"]
# A worker takes one run at a time and leaves the rest to the others.
worker_prefetch_multiplier = 1
# Dagster keeps what came of a run; Celery need not.
result_expires = 3600
