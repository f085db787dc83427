"""Slack: how an incident looks and speaks there, how a press becomes a flow, how a message is put and found again.

Knows Slack's blocks, limits and errors. Refuses to decide anything: flows do. Serves engine (by ports) and app.
"""
