"""Pictures of metrics: SVG by hand, PNG by resvg. Knows pixels and letters; refuses to know Prometheus and Slack."""
