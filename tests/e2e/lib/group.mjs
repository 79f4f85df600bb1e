// A delivery group with persistent sessions, through the public API.
import { until } from "./until.mjs";

const PRODUCT = { ProductType: "CloudApp" };
const USER = "alice";

export class Group {
  #call;

  /** A new group whose sessions run. */
  static async create(call, name, sessions) {
    const group = new Group();
    group.#call = call;
    const answer = await call("CreateAppInstanceGroup", {
      ...PRODUCT,
      AppInstanceGroupName: name,
      AppCenterImageId: "img-this-machine",
      BizRegionId: "cn-shanghai",
      AuthMode: "Session",
      ChargeType: "PostPaid",
      ChargeResourceMode: "Node",
      Period: 1,
      PeriodUnit: "Month",
      SessionTimeout: 15,
      PreOpenAppId: "ca-foot",
      NodePool: JSON.stringify({
        NodeInstanceType: "appstreaming.general.4c8g",
        StrategyType: "NODE_FIXED",
        NodeAmount: 1,
        NodeCapacity: sessions,
      }),
    });
    group.id = answer.AppInstanceGroupModel.AppInstanceGroupId;
    group.sessions = await until("every session runs", async () => {
      const models = await group.list();
      const running = models.every((model) => model.AppInstancePersistentStatus === "RUNNING");
      return models.length === sessions && running && models.map((model) => model.AppInstancePersistentId);
    }, 90_000);
    return group;
  }

  async list() {
    const page = await this.#call("ListPersistentAppInstances", { ...PRODUCT, AppInstanceGroupId: this.id });
    return page.PersistentAppInstanceModels;
  }

  async authorize(session) {
    await this.#call("AuthorizeInstanceGroup", {
      ...PRODUCT,
      AppInstanceGroupId: this.id,
      AppInstancePersistentId: session,
      "AuthorizeUserIds.1": USER,
    });
  }

  /** The fragment of a link to a session, good for one use. */
  async ticket(session) {
    let task = {};
    const ticket = await until("a ticket", async () => {
      const answer = await this.#call("GetConnectionTicket", {
        ...PRODUCT,
        ...task,
        EndUserId: USER,
        AppId: "ca-foot",
        "AppInstanceGroupIdList.1": this.id,
        AppInstancePersistentId: session,
      });
      task = { TaskId: answer.TaskId };
      if (answer.TaskStatus === "Failed") {
        throw new Error(`no ticket: ${JSON.stringify(answer)}`);
      }
      return answer.TaskStatus === "Finished" && answer.Ticket;
    });
    return `#ticket=${encodeURIComponent(ticket)}`;
  }

  /** Deletes it and waits until its sessions are gone. */
  async delete() {
    await this.#call("DeleteAppInstanceGroup", { ...PRODUCT, AppInstanceGroupId: this.id });
  }
}
