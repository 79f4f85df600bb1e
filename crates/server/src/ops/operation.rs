//! What an operation is, and how the dispatcher runs one without knowing its types.

use super::fields::{Product, Ref};
use super::product::ApiProduct;
use crate::access::{Access, Authority, Denied, Principal};
use crate::catalogue::Catalogue;
use crate::error::ApiError;
use crate::runtime::Here;
use greenroom_model::{AccountId, AppInstanceGroupId, Entropy, ProductType, Timestamp};
use greenroom_rpc::{Reply, Request, envelope};
use greenroom_store::{Group, Nonce, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;

/// One operation of the API.
pub trait Operation: 'static {
    /// Its name on the wire.
    const ACTION: &'static str;
    /// What it takes. A value of this type is within the bounds of its single fields.
    type Request: DeserializeOwned + Send + Sync;
    /// What it answers, without the `RequestId`.
    type Response: Serialize + Send;

    /// Whether a call with [`Access::Write`] that has written nothing may have given something out all the same, and is
    /// recorded for it.
    const GIVES_UNWRITTEN: bool = true;

    /// Whether it has a use for the account's own images, which are read before it begins.
    const LOOKS_AT_IMAGES: bool = true;

    /// The rules between fields, and of fields with the catalogue.
    ///
    /// # Errors
    /// A rule is broken.
    fn validate(_cx: &CallContext<'_>, _req: &Self::Request) -> Result<(), ApiError> {
        Ok(())
    }

    /// What it does. There is no default: an operation nobody decided about does not compile.
    fn access(req: &Self::Request) -> Access;

    /// What it does that to, as policies name it (`acs:ram::ACCOUNT:role/NAME`): the caller must be let do it to
    /// each of them. None when policies cannot tell one thing of the product from another.
    fn resources(_cx: &CallContext<'_>, _req: &Self::Request) -> Vec<String> {
        Vec::new()
    }

    /// Does it. A handler waits for no host: it writes down what is wanted, and a reconciler makes it true. Only what
    /// is asked of a session that runs ([`crate::live`]) is waited for, and not for long.
    fn handle(
        cx: &CallContext<'_>,
        req: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, ApiError>> + Send;
}

/// What a call has to work with.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// What persists.
    pub store: &'a Store,
    /// What is on offer to the account.
    pub catalogue: &'a Catalogue,
    /// For new ids and secrets.
    pub entropy: &'a dyn Entropy,
    /// When the call came.
    pub now: Timestamp,
    /// Who calls.
    pub principal: &'a Principal,
    /// What the caller's policies let it do.
    pub authority: &'a Authority,
    /// The sessions that run on this server, to be asked.
    pub here: &'a Here,
    /// The call's nonce, to be written with what a [`Access::Write`] changes.
    pub nonce: &'a Nonce,
}

impl CallContext<'_> {
    /// The account whose things the caller sees.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        self.principal.account()
    }

    /// The group of that id, if it is the caller's and delivers that.
    ///
    /// # Errors
    /// It is not there as far as the caller may know, or the database failed.
    pub async fn group(
        &self,
        id: &Ref<AppInstanceGroupId>,
        product: Product,
    ) -> Result<Group, ApiError> {
        let id = id.id().ok_or(ApiError::GroupNotFound)?;
        let found = self.store.group(self.account(), id).await?;
        found
            .filter(|group| group.made.product_type == product.0)
            .ok_or(ApiError::GroupNotFound)
    }

    /// The browser group of that id, if it is the caller's.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub async fn browser_group(&self, id: &Ref<AppInstanceGroupId>) -> Result<Group, ApiError> {
        match self.group(id, Product(ProductType::CloudBrowser)).await {
            Err(ApiError::GroupNotFound) => Err(ApiError::BrowserGroupNotFound),
            found => found,
        }
    }

    /// Lets only callers of the root account on: for what concerns the whole installation.
    ///
    /// # Errors
    /// The caller is of another account, or the database failed.
    pub async fn only_for_root(&self) -> Result<(), ApiError> {
        match self.store.is_root_account(self.account()).await? {
            true => Ok(()),
            false => Err(Denied.into()),
        }
    }

    /// The nonce, for a transaction to write.
    #[must_use]
    pub fn spend_nonce(&self) -> Option<Nonce> {
        Some(self.nonce.clone())
    }
}

/// How a call went.
pub struct Ran {
    /// What it does with what it is called for; `None` for one that could not be read.
    pub access: Option<Access>,
    /// See [`Operation::GIVES_UNWRITTEN`].
    pub gives_unwritten: bool,
    /// What it answers.
    pub answer: Result<Reply, ApiError>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Ran> + Send + 'a>>;

/// An operation on the list.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name on the wire.
    pub action: &'static str,
    /// The product that it belongs to.
    pub product: &'static ApiProduct,
    /// See [`Operation::LOOKS_AT_IMAGES`].
    pub looks_at_images: bool,
    /// Reads the request's parameters, checks them, decides on access, does it, and answers under the id given.
    pub run: for<'a> fn(CallContext<'a>, &'static ApiProduct, &'a Request, &'a str) -> Running<'a>,
}

impl Entry {
    /// The entry of an operation.
    pub(super) const fn of<O: Operation>(product: &'static ApiProduct) -> Self {
        Self {
            action: O::ACTION,
            product,
            looks_at_images: O::LOOKS_AT_IMAGES,
            run: |cx, product, request, id| Box::pin(run::<O>(cx, product, request, id)),
        }
    }
}

async fn run<O: Operation>(
    cx: CallContext<'_>,
    product: &ApiProduct,
    asked: &Request,
    request_id: &str,
) -> Ran {
    match asked.params.deserialize() {
        Ok(request) => Ran {
            access: Some(O::access(&request)),
            gives_unwritten: O::GIVES_UNWRITTEN,
            answer: carry_out::<O>(cx, product, asked, request_id, request).await,
        },
        Err(error) => Ran {
            access: None,
            gives_unwritten: O::GIVES_UNWRITTEN,
            answer: Err(error.into()),
        },
    }
}

async fn carry_out<O: Operation>(
    cx: CallContext<'_>,
    product: &ApiProduct,
    asked: &Request,
    request_id: &str,
    request: O::Request,
) -> Result<Reply, ApiError> {
    O::validate(&cx, &request)?;
    let mut resources = O::resources(&cx, &request);
    if resources.is_empty() {
        // Every thing of the product, in the account: what `*` and no narrower pattern stands for.
        resources.push(format!("acs:{}:*:{}:*", product.ram_code, cx.account()));
    }
    let (access, action) = (O::access(&request), product.ram_action(O::ACTION));
    for resource in &resources {
        cx.authority
            .decide(cx.principal, access, &action, resource)?;
    }
    let response = O::handle(&cx, request).await?;
    envelope::success(asked.format, O::ACTION, request_id, &response).map_err(|source| {
        ApiError::Internal {
            step: "the answer cannot be written",
            source: source.into(),
        }
    })
}
