"""Prints the README's list of verbs, from the command line's own."""

import command_pages

if __name__ == "__main__":
    print(command_pages.plain_index())
