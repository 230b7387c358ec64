//! A code for an ID token, at the provider's token endpoint (OpenID Connect Core 1.0 section 3.1.3).

use remit_identity::json::Members;
use reqwest::{RequestBuilder, StatusCode};
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::begun::Begun;
use super::http::answered;
use super::provider::{Metadata, ShowSecret};
use super::{Oidc, OidcError};

impl Oidc {
    /// Gives the ID token, which nobody has verified yet. The access token that comes with it is of no use here and is dropped.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        begun: &Begun,
    ) -> Result<Zeroizing<String>, OidcError> {
        let answer = answered(self.code_request(metadata, code, begun)?).await?;
        // Not the parser's words: they could repeat what must not be in a log.
        let unreadable = |_| OidcError::Unusable("its answer to the code is not one JSON object".to_owned());
        match answer.status {
            StatusCode::OK => {
                let members = Members::parse(&Zeroizing::new(answer.body)).map_err(unreadable)?;
                let token = members.value("id_token").and_then(|token| token.as_str());
                let missing = || OidcError::Unusable("its answer to the code holds no `id_token`".to_owned());
                Ok(Zeroizing::new(token.ok_or_else(missing)?.to_owned()))
            }
            status if status.is_client_error() => {
                let members = Members::parse(&answer.body).map_err(unreadable)?;
                Err(OidcError::code_refused(members.text("error").unwrap_or_default()))
            }
            status => Err(OidcError::Unreachable(format!("its token endpoint answered {status}"))),
        }
    }

    /// The request that shows the code, and who we are.
    fn code_request(&self, metadata: &Metadata, code: &str, begun: &Begun) -> Result<RequestBuilder, OidcError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("code_verifier", &begun.verifier);
        let mut request = self.provider.http.client()?.post(metadata.token_endpoint.clone());
        let client_id = &self.settings.client_id;
        match (&self.settings.client_secret, metadata.show_secret) {
            (None, _) => {
                form.append_pair("client_id", client_id);
            }
            (Some(secret), ShowSecret::Post) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            // RFC 6749 section 2.3.1: encoded as in a form before they are put together.
            (Some(secret), ShowSecret::Basic) => {
                let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
                request = request.basic_auth(encoded(client_id).as_str(), Some(encoded(secret).as_str()));
            }
        }
        Ok(request.header("content-type", "application/x-www-form-urlencoded").body(form.finish()))
    }
}
