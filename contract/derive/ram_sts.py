#!/usr/bin/env python3
"""Writes the contracts of the products ram and sts from the models of the vendor's Python SDKs.

    pip install alibabacloud-ram20150501==1.3.0 alibabacloud-sts20150401==1.2.0
    python contract/derive/ram_sts.py

The structure (which fields there are, their names and types) is read from the models' code. The models know
no bounds and no mandatory fields; those are facts of ours, below, found in the descriptions of the same
fields. Only the operations that are built are written.
"""

import ast
import importlib.metadata
import importlib.util
import json
import pathlib

CONTRACT = pathlib.Path(__file__).resolve().parent.parent

RAM = [
    "AddUserToGroup", "AttachPolicyToGroup", "AttachPolicyToRole", "AttachPolicyToUser", "CreateAccessKey",
    "CreateGroup", "CreatePolicy", "CreatePolicyVersion", "CreateRole", "CreateUser", "DeleteAccessKey",
    "DeleteGroup", "DeletePolicy", "DeletePolicyVersion", "DeleteRole", "DeleteUser", "DetachPolicyFromGroup",
    "DetachPolicyFromRole", "DetachPolicyFromUser", "GetGroup", "GetPolicy", "GetPolicyVersion", "GetRole",
    "GetUser", "ListAccessKeys", "ListEntitiesForPolicy", "ListGroups", "ListGroupsForUser", "ListPolicies",
    "ListPoliciesForGroup", "ListPoliciesForRole", "ListPoliciesForUser", "ListPolicyVersions", "ListRoles",
    "ListUsers", "ListUsersForGroup", "RemoveUserFromGroup", "SetDefaultPolicyVersion", "UpdateAccessKey",
    "UpdateGroup", "UpdateRole", "UpdateUser",
]
STS = ["AssumeRole", "GetCallerIdentity"]

# Bounds of a field of requests, wherever it stands.
BOUNDS = {
    "UserName": {"maxLength": 64},
    "NewUserName": {"maxLength": 64},
    "DisplayName": {"maxLength": 128},
    "NewDisplayName": {"maxLength": 128},
    "Comments": {"maxLength": 128},
    "NewComments": {"maxLength": 128},
    "GroupName": {"maxLength": 64},
    "NewGroupName": {"maxLength": 64},
    "RoleName": {"maxLength": 64},
    "PolicyName": {"maxLength": 128},
    "Description": {"maxLength": 1024},
    "NewDescription": {"maxLength": 1024},
    "PolicyDocument": {"maxLength": 6144},
    "PolicyType": {"enum": ["Custom", "System"]},
    "RotateStrategy": {"enum": ["None", "DeleteOldestNonDefaultVersionWhenLimitExceeded"]},
    "Status": {"enum": ["Active", "Inactive"]},
    "MaxItems": {"min": 1, "max": 1000, "default": 100},
    "MaxSessionDuration": {"min": 3600, "max": 43200, "default": 3600},
    "NewMaxSessionDuration": {"min": 3600, "max": 43200},
    "RoleSessionName": {"minLength": 2, "maxLength": 64},
    "ExternalId": {"minLength": 2, "maxLength": 1224},
    "DurationSeconds": {"default": 3600},
}

# Fields that a request may leave out, wherever they stand; every other one is mandatory.
OPTIONAL = {
    "AllowConsoleLogin", "CascadingDelete", "Comments", "Description", "DisplayName", "DurationSeconds", "Email",
    "ExternalId", "Marker", "MaxItems", "MaxSessionDuration", "MobilePhone", "NewAllowConsoleLogin",
    "NewAssumeRolePolicyDocument", "NewComments", "NewDescription", "NewDisplayName", "NewEmail",
    "NewGroupName", "NewMaxSessionDuration", "NewMobilePhone", "NewUserName", "Policy", "ResourceGroupId", "RotateStrategy",
    "SetAsDefault", "SourceIdentity", "Tag",
}
# The same, of one operation.
OPTIONAL_IN = {
    "CreateAccessKey": {"UserName"},
    "DeleteAccessKey": {"UserName"},
    "ListAccessKeys": {"UserName"},
    "UpdateAccessKey": {"UserName"},
    "ListPolicies": {"PolicyType"},
}

# A time as these products write it.
TIME = "2015-01-23T12:33:18Z"
TIMES = {"CreateDate", "UpdateDate", "AttachDate", "JoinDate", "Expiration", "LastLoginDate"}

SCALARS = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}


def snake(action):
    """`ListPoliciesForUser` as the models' files spell it."""
    return "".join("_" + c.lower() if c.isupper() else c for c in action)


def classes(package, kind, action):
    """The classes of one model file, by name; none where an operation takes nothing."""
    root = pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0])
    file = root / "models" / f"{snake(action)}_{kind}.py"
    if not file.exists():
        return {}
    tree = ast.parse(file.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def wire_names(model):
    """Names on the wire by the names of attributes, from `result['UserName'] = self.user_name…`."""
    to_map = next(f for f in model.body if isinstance(f, ast.FunctionDef) and f.name == "to_map")
    source = ast.unparse(to_map)
    names = {}
    init = next(f for f in model.body if isinstance(f, ast.FunctionDef) and f.name == "__init__")
    for argument in init.args.args[1:]:
        # The assignment that follows the question whether the attribute is there.
        asked = source.index(f"if self.{argument.arg} is not None:\n")
        names[argument.arg] = source[asked:].split("result['", 1)[1].split("'", 1)[0]
    return names


def fields(models, name, action, is_request):
    """The fields of a model and of those inside it."""
    model = models.get(name)
    if model is None:
        return {}
    names = wire_names(model)
    init = next(f for f in model.body if isinstance(f, ast.FunctionDef) and f.name == "__init__")
    found = {}
    for argument in init.args.args[1:]:
        wire = names[argument.arg]
        field = described(models, ast.unparse(argument.annotation), action, is_request)
        if is_request:
            field = {"in": "query", **field, **BOUNDS.get(wire, {})}
            if name == f"{action}Request" and wire not in OPTIONAL | OPTIONAL_IN.get(action, set()):
                field["required"] = True
            if field["type"] == "array":
                field["wire"] = "N.Key" if field["items"] == "object" else "N"
        elif wire in TIMES:
            field["example"] = TIME
        found[wire] = field
    return dict(sorted(found.items()))


def described(models, annotation, action, is_request):
    """The type of an annotation: `int`, `List[str]`, `main_models.GetUserResponseBodyUser`."""
    if annotation.startswith("List["):
        inner = described(models, annotation[5:-1], action, is_request)
        return {"type": "array", "items": inner.pop("type"), **inner}
    if annotation in SCALARS:
        return {"type": SCALARS[annotation]}
    name = annotation.removeprefix("main_models.")
    return {"type": "object", "fields": fields(models, name, action, is_request)}


def operation(product, package, action):
    """One operation in the form of the other contracts."""
    looks = action.startswith(("Get", "List"))
    return {
        "auth": "AK",
        "methods": ["GET", "POST"],
        "ram": {"action": f"{product}:{action}", "access": "get" if looks else "update"},
        "request": fields(classes(package, "request", action), f"{action}Request", action, True),
        "response": fields(classes(package, "response_body", action), f"{action}ResponseBody", action, False),
        "errors": [],
    }


def write(product, version, package, actions, endpoint):
    """One contract file."""
    wheel = package.replace("_", "-")
    contract = {
        "product": product,
        "version": version,
        "style": "RPC",
        "path": "/",
        "sources": {"structure": f"Python SDK wheel {wheel} {importlib.metadata.version(wheel)}"},
        "endpoints": {"all": endpoint},
        "operations": {action: operation(product, package, action) for action in sorted(actions)},
    }
    text = json.dumps(contract, indent=1, ensure_ascii=False) + "\n"
    (CONTRACT / f"{product}-{version}.json").write_text(text)


write("ram", "2015-05-01", "alibabacloud_ram20150501", RAM, "ram.aliyuncs.com")
write("sts", "2015-04-01", "alibabacloud_sts20150401", STS, "sts.aliyuncs.com")
