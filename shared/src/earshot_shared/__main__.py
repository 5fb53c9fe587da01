"""`python -m earshot_shared` is the command `earshot`, wherever the script of that name was put."""

from earshot_shared.cli.main import main

if __name__ == "__main__":
    main()
