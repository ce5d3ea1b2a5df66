"""Prints the README's list of verbs, from the command objects."""

import command_pages

if __name__ == "__main__":
    print(command_pages.plain_index())
