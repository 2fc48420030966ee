"""`python -m cli.child ARGUMENTS` is `zoo ARGUMENTS`, but ends when its standard input is closed."""

from cli.jobs.processes import GRACE, end_with_parent


def main() -> None:
    """Run the command given by the arguments."""
    from cli.app import zoo

    end_with_parent(GRACE)
    zoo()


if __name__ == "__main__":
    main()
