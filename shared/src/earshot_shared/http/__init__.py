"""What every service's HTTP side has in common: the door, keys, problems, cursors, versions and answers that can be asked for again.

`app.create_app` puts it together; routes use `auth.require`, `paging`, `etags`, `idempotency` and raise `problems.HttpError`.
"""
