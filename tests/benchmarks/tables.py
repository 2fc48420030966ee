"""The command line of simulations that print several tables."""

from argparse import ArgumentParser


def print_tables(description, tables, draws_help):
    """Print all tables, or one of them.

    Args:
        description: what the program does.
        tables: functions that print a table from a number of draws, by name.
        draws_help: what a draw is.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("draws", nargs="?", type=int, default=1000, help=draws_help)
    parser.add_argument("--only", choices=tables, help="print this table only")
    options = parser.parse_args()
    for name, print_table in tables.items():
        if options.only in (None, name):
            print_table(options.draws)
