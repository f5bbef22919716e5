# Validates bills of materials with CycloneDX's own library: its strict JSON schema and its model of a
# document. Prints the number of components of each file, inner components included. Exits with 1 and
# a message if a file is invalid.
import json
import sys

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def count(components):
    return sum(1 + count(component.components) for component in components)


validator = JsonStrictValidator(SchemaVersion.V1_6)
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        text = file.read()
    wrong = validator.validate_str(text)
    if wrong:
        sys.exit(f"{name} does not fit the schema: {wrong}")
    bom = Bom.from_json(json.loads(text))
    bom.validate()
    print(count(bom.components))
