"""The command `oncall-bot`, and `python -m oncall_bot`."""

from oncall_bot.cli import main

if __name__ == "__main__":
    main()
