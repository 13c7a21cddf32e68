# Behind whatever stands there: a name that already means something belongs to the host.
passwd last hexabot
group last hexabot
shadow last hexabot
