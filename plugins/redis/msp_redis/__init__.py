"""Redis for the Managed Services Platform runtime.

A service asks its contract, `contract[Redis]`, and gets clients of redis-py: `client()` for
asyncio, `sync_client()` for threads. Importing this package does not import redis-py.
"""

from msp_redis._config import RedisConfig
from msp_redis._endpoint import EndpointError
from msp_redis._plugin import msp_integration
from msp_redis._redis import Redis

__all__ = ["EndpointError", "Redis", "RedisConfig", "msp_integration"]
