"""Parses files with the Lark export: every right file of the corpus must be accepted, every broken one need not be.

    python check.py escher.lark FILE...
"""

import sys

from lark import Lark

grammar = open(sys.argv[1], encoding="utf-8").read()
parser = Lark(grammar, parser="earley", lexer="dynamic")
failed = 0
for path in sys.argv[2:]:
    try:
        parser.parse(open(path, encoding="utf-8").read())
    except Exception as error:
        failed += 1
        print(f"{path}: {error}", file=sys.stderr)
sys.exit(1 if failed else 0)
