"""How a Cloud SQL instance is reached, and who the process is to it."""
