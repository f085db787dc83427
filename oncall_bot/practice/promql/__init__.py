"""A small honest PromQL: what runbooks and rules commonly use, computed as Prometheus does; the rest refused by name.

The rules are those of prometheus.io, "Querying"; tests hold them against promtool. Refuses to know HTTP and where
samples come from.
"""

from oncall_bot.practice.promql.computing import Evaluator
from oncall_bot.practice.promql.syntax import BadQuery, Node, Selector, parse, seconds_of

__all__ = ["BadQuery", "Evaluator", "Node", "Selector", "parse", "seconds_of"]
