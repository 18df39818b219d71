#!/usr/bin/python3
"""Judges requests of the vSphere API by the schema that Debian's python3-pyvmomi brings (up to 6.7).

Reads one JSON line a request on standard input: {"method": ..., "body": ...}; the body is the SOAP message. Prints one
JSON line for each: {"method": ..., "since": ..., "mistakes": [...]}. Elements must be known, in the order of the schema,
there where they are required, of the right types, and no more often than once where they are no list.
"""
import json
import sys
import xml.etree.ElementTree as tree

from pyVmomi import VmomiSupport, vim, vmodl  # noqa: F401

XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
SCALARS = {
    "str": lambda text: True,
    "bool": lambda text: text in ("true", "false", "0", "1"),
    "byte": lambda text: -128 <= int(text) < 128,
    "short": lambda text: -(2**15) <= int(text) < 2**15,
    "int": lambda text: -(2**31) <= int(text) < 2**31,
    "long": lambda text: -(2**63) <= int(text) < 2**63,
    "float": lambda text: float(text) is not None,
    "double": lambda text: float(text) is not None,
    "datetime": lambda text: True,
    "type": lambda text: VmomiSupport.GetWsdlType("urn:vim25", text) is not None,
    "PropertyPath": lambda text: text != "",
    "anyURI": lambda text: True,
}


def local(name):
    return name.split("}")[-1]


def version_number(version):
    return int("".join(c for c in version.split(".")[-1] if c.isdigit()) or 0)


class Judge:
    def __init__(self):
        self.mistakes = []
        self.since = {}

    def say(self, where, what):
        self.mistakes.append(f"{where}: {what}")

    def saw(self, version):
        family = version.rsplit(".", 1)[0]
        self.since[family] = max(self.since.get(family, 0), version_number(version))

    def members(self, parent, expected, where):
        """Children against the members of a type, in order."""
        names = [member.name for member in expected]
        at = 0
        seen = set()
        for child in parent:
            name = local(child.tag)
            if name not in names:
                self.say(where, f"unknown element {name}")
                continue
            place = names.index(name)
            member = expected[place]
            if place < at:
                self.say(where, f"{name} stands after {names[at]}")
            is_list = issubclass(member.type, VmomiSupport.Array)
            if name in seen and not is_list:
                self.say(where, f"{name} stands there twice")
            seen.add(name)
            at = max(at, place)
            self.saw(member.version)
            self.value(child, member.type.Item if is_list else member.type, f"{where}/{name}")
        for member in expected:
            if member.name not in seen and not member.flags & VmomiSupport.F_OPTIONAL:
                if not issubclass(member.type, VmomiSupport.Array):
                    self.say(where, f"{member.name} is missing")

    def value(self, element, declared, where):
        given = element.get(XSI)
        actual = declared
        if given is not None:
            name = given.split(":")[-1]
            namespace = "http://www.w3.org/2001/XMLSchema" if given.startswith("xsd:") else "urn:vim25"
            try:
                actual = VmomiSupport.GetWsdlType(namespace, name)
            except KeyError:
                self.say(where, f"unknown type {given}")
                return
            if declared is not object and not issubclass(actual, declared):
                self.say(where, f"{given} is no {declared.__name__}")
        text = (element.text or "").strip()
        if issubclass(actual, VmomiSupport.ManagedObject):
            kind = element.get("type")
            if kind is None or not issubclass(VmomiSupport.GetWsdlType("urn:vim25", kind), actual):
                self.say(where, f"a reference to {kind}, where {actual.__name__} is wanted")
            if text == "":
                self.say(where, "an empty reference")
        elif issubclass(actual, VmomiSupport.DataObject):
            members = [p for p in actual._GetPropertyList() if not p.name.startswith("dynamic")]
            self.members(element, members, where)
        elif issubclass(actual, VmomiSupport.Enum):
            known = [getattr(actual, name) for name in dir(actual)]
            if text not in [value for value in known if isinstance(value, actual)]:
                self.say(where, f"{text} is no {actual.__name__}")
        else:
            check = SCALARS.get(actual.__name__)
            try:
                if check is not None and not check(text):
                    self.say(where, f"{text!r} is no {actual.__name__}")
            except (ValueError, KeyError):
                self.say(where, f"{text!r} is no {actual.__name__}")
            if len(element) > 0:
                self.say(where, "it holds elements")

    def request(self, body):
        root = tree.fromstring(body)
        call = root[0][0]
        method = local(call.tag)
        this = call[0]
        if local(this.tag) != "_this":
            self.say(method, "the first element is not _this")
        kind = VmomiSupport.GetWsdlType("urn:vim25", this.get("type"))
        info = None
        for name in dir(kind):
            candidate = getattr(getattr(kind, name), "info", None)
            if candidate is not None and getattr(candidate, "wsdlName", None) == method:
                info = candidate
        if info is None:
            self.say(method, f"{this.get('type')} has no such method")
            return method
        self.saw(info.version)
        self.members(list(call)[1:], list(info.params), method)
        return method


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        judge = Judge()
        try:
            method = judge.request(asked["body"])
        except Exception as error:  # what cannot be judged is a mistake
            method = asked.get("method", "?")
            judge.say(method, f"{type(error).__name__}: {error}")
        print(json.dumps({"method": method, "since": judge.since, "mistakes": judge.mistakes}), flush=True)


if __name__ == "__main__":
    main()
