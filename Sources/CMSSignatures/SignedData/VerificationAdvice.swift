import Explanations

extension VerificationDetail {
    /// Returns advice for a reader of the detail.
    static func advice(_ kind: Kind, _ level: Level) -> Advice {
        switch (kind, level) {
        case (.issuerTrust, _): .untrusted
        case (.revocationStatus, .invalid): .revoked
        case (.revocationStatus, .indeterminate): .revocationUnknown
        case (.validityInterval, _): .outdated
        case (.signature, .invalid): .changed
        case (.signature, .indeterminate): .unsupported
        case (.signerIdentity, _): .otherSigner
        }
    }
}
