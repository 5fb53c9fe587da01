"""The ``earshot`` command: finds its sub-commands by entry point, tells errors in a sentence, and finds the system it talks to."""
