"""A user who may assume roles, and a role to assume, for as long as tests need them."""

import json
from contextlib import contextmanager

from alibabacloud_ram20150501 import models


def allow(**fields):
    """A policy of one statement."""
    return json.dumps({"Version": "1", "Statement": [{"Effect": "Allow"} | fields]})


@contextmanager
def an_actor(ram, name):
    """The settings of a client of a user of that name, who may assume roles."""
    ram.create_user(models.CreateUserRequest(user_name=name))
    key = ram.create_access_key(models.CreateAccessKeyRequest(user_name=name)).body.access_key
    policy = {"policy_type": "System", "policy_name": "AliyunSTSAssumeRoleAccess", "user_name": name}
    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(**policy))
    yield {"access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret}
    ram.detach_policy_from_user(models.DetachPolicyFromUserRequest(**policy))
    ram.delete_access_key(models.DeleteAccessKeyRequest(user_name=name, user_access_key_id=key.access_key_id))
    ram.delete_user(models.DeleteUserRequest(user_name=name))


@contextmanager
def a_role(ram, name, account, **trust):
    """The ARN of a role that may look at delivery groups, and trusts whoever is of the account."""
    principal = {"RAM": [f"acs:ram::{account}:root"]}
    document = allow(Action="sts:AssumeRole", Principal=principal, **trust)
    made = ram.create_role(models.CreateRoleRequest(role_name=name, assume_role_policy_document=document))
    policy = {"policy_type": "System", "policy_name": "AliyunAppStreamingReadOnlyAccess", "role_name": name}
    ram.attach_policy_to_role(models.AttachPolicyToRoleRequest(**policy))
    yield made.body.role.arn
    ram.detach_policy_from_role(models.DetachPolicyFromRoleRequest(**policy))
    ram.delete_role(models.DeleteRoleRequest(role_name=name))
