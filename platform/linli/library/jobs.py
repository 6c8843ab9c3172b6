"""What the library does by itself."""

from procrastinate.contrib.django import app

from linli.jobs import APP
from linli.library.pictures import sweep


@app.periodic(cron="17 * * * *")
@app.task(name="linli.library.jobs.sweep_pictures", queue=APP)
def sweep_pictures(timestamp: int) -> None:
    """Pictures that nobody published within a day."""
    sweep()
