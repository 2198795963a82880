import CMSSignatures
import XMLReading

/// The profiles: what is signed how, and what is trusted.
extension ConfigurationReading {
    func signingProfiles(
        _ root: XMLElement
    ) -> (profiles: [String: SigningServerConfiguration.SigningProfile], defaultID: String?) {
        var profiles: [String: SigningServerConfiguration.SigningProfile] = [:]
        var defaultID: String?
        for element in root.children("SigningProfile") {
            inspect(element, attributes: ["id", "default", "format", "level", "enclosed", "tsa"])
            guard let id = required("id", of: element),
                let format: SigningServerConfiguration.SigningProfile.Format = choice("format", of: element)
            else { continue }
            if flag("default", of: element) {
                if defaultID != nil { fault(element, "only one signing profile can be the default") }
                defaultID = id
            }
            let timestampAuthority = timestampAuthority(element)
            var level: SigningServerConfiguration.SigningProfile.Level?
            if element.attribute("level") != nil { level = choice("level", of: element) }
            if level == .t && timestampAuthority == nil {
                fault(element, "level=\"T\" needs the address of a timestamp authority: add tsa=\"http://…\"")
            }
            if level != .t && element.attribute("tsa") != nil {
                fault(element, "tsa=\"…\" is asked only at level=\"T\"")
            }
            let isEnclosed = flag("enclosed", of: element)
            if isEnclosed && format != .cms && format != .auto {
                fault(element, "enclosed=\"true\" is for format=\"cms\", not for \(format.rawValue)")
            }
            let profile = SigningServerConfiguration.SigningProfile(
                id: id, format: format, level: level, enclosesContent: isEnclosed,
                timestampAuthority: timestampAuthority)
            if profiles.updateValue(profile, forKey: id) != nil {
                fault(element, "the profile \"\(id)\" is there twice")
            }
        }
        return (profiles, defaultID)
    }

    func verificationProfiles(
        _ root: XMLElement
    ) -> (profiles: [String: SigningServerConfiguration.VerificationProfile], defaultID: String?) {
        var profiles: [String: SigningServerConfiguration.VerificationProfile] = [:]
        var defaultID: String?
        for element in root.children("VerificationProfile") {
            inspect(
                element, attributes: ["id", "default", "allowWeak", "revocation", "signerIdentity"],
                children: ["Anchor", "Intermediate", "CRL", "VerificationTime"])
            guard let id = required("id", of: element) else { continue }
            if flag("default", of: element) {
                if defaultID != nil { fault(element, "only one verification profile can be the default") }
                defaultID = id
            }
            var identity = MailVerification.SignerIdentity.enforce
            if element.attribute("signerIdentity") != nil {
                identity = choice("signerIdentity", of: element) ?? identity
            }
            let profile = SigningServerConfiguration.VerificationProfile(
                id: id, policy: policy(element), identity: identity)
            if profiles.updateValue(profile, forKey: id) != nil {
                fault(element, "the profile \"\(id)\" is there twice")
            }
        }
        return (profiles, defaultID)
    }

    private func policy(_ element: XMLElement) -> TrustPolicy {
        let anchors = element.children("Anchor").flatMap { certificates(text(of: $0), $0) }
        let intermediates = element.children("Intermediate").flatMap { certificates(text(of: $0), $0) }
        let lists = element.children("CRL").flatMap { revocationLists(text(of: $0), $0) }
        var policy = TrustPolicy(anchors: anchors, intermediates: intermediates, revocationLists: lists)
        policy.allowsWeakAlgorithms = flag("allowWeak", of: element)
        if element.attribute("revocation") == nil {
            policy.revocation = lists.isEmpty ? .none : .present
        } else if let revocation: TrustPolicy.Revocation = choice("revocation", of: element) {
            policy.revocation = revocation
        }
        if let time = single("VerificationTime", in: element) {
            policy.verificationTime = Timestamp.unixSeconds(text(of: time))
            if policy.verificationTime == nil {
                fault(time, "\"\(time.trimmedText)\" is no time: expected 2026-01-31T12:00:00Z")
            }
        }
        return policy
    }

    /// The URL of a timestamp authority.
    private func timestampAuthority(_ element: XMLElement) -> String? {
        guard let url = element.attribute("tsa") else { return nil }
        let lowered = url.lowercased()
        guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
            fault(element, "tsa=\"\(url)\" is no address: expected http://… or https://…")
            return nil
        }
        return url
    }
}
