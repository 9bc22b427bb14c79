"""The endpoints, one group a file."""

from api.routes import capture, devices, events, health, parties, places

ROUTERS = (
    capture.router,
    events.router,
    parties.router,
    places.router,
    devices.router,
    health.router,
)
