import CMSSignatures
import XMLReading

/// The profiles: what is signed how, and what is trusted.
extension DSSConfigurationReading {
    /// - Parameters:
    ///   - verification: The ids of the verification profiles.
    ///   - keys: Those that a profile may name as its own.
    func signingProfiles(
        _ root: XMLElement, verification: Set<String>, keys: KeyStore
    ) -> (profiles: [String: SigningServerConfiguration.SigningProfile], defaultID: String?) {
        var profiles: [String: SigningServerConfiguration.SigningProfile] = [:]
        var defaultID: String?
        for element in root.children("SigningProfile") {
            inspect(
                element,
                attributes: Self.pdfAttributes.union([
                    "id", "default", "format", "level", "enclosed", "tsa", "validation", "key",
                ]), children: ["Appearance"])
            guard let id = required("id", of: element),
                let format: SigningServerConfiguration.SigningProfile.Format = choice("format", of: element)
            else { continue }
            if flag("default", of: element) {
                if defaultID != nil { fault(element, "only one signing profile can be the default") }
                defaultID = id
            }
            let level = level(element, format)
            let timestampAuthority = timestampAuthority(element, level)
            let validation = validation(element, level, verification)
            let isEnclosed = flag("enclosed", of: element)
            if isEnclosed && format != .cms && format != .auto {
                fault(element, "enclosed=\"true\" is for format=\"cms\", not for \(format.rawValue)")
            }
            let key = element.attribute("key")
            if let key, keys[key] == nil { fault(element, "there is no key \"\(key)\"") }
            let profile = SigningServerConfiguration.SigningProfile(
                id: id, format: format, level: level, enclosesContent: isEnclosed,
                timestampAuthority: timestampAuthority, validation: validation, key: key,
                pdf: pdfDefaults(element, format))
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
                element,
                attributes: [
                    "id", "default", "allowWeak", "revocation", "signerIdentity", "requirePolicy",
                    "inhibitPolicyMapping", "inhibitAnyPolicy",
                ],
                children: ["Anchor", "Intermediate", "CRL", "Policy", "VerificationTime"])
            guard let id = required("id", of: element) else { continue }
            if flag("default", of: element) {
                if defaultID != nil { fault(element, "only one verification profile can be the default") }
                defaultID = id
            }
            var identity = SignedMailVerification.SignerIdentity.enforce
            if element.attribute("signerIdentity") != nil {
                identity = choice("signerIdentity", of: element) ?? identity
            }
            let profile = SigningServerConfiguration.VerificationProfile(
                id: id, policy: policy(element, of: id), identity: identity)
            if profiles.updateValue(profile, forKey: id) != nil {
                fault(element, "the profile \"\(id)\" is there twice")
            }
        }
        return (profiles, defaultID)
    }

    private func policy(_ element: XMLElement, of profile: String) -> TrustPolicy {
        let anchors = element.children("Anchor").flatMap { trusted($0, .anchor, profile) }
        let intermediates = element.children("Intermediate").flatMap { trusted($0, .intermediate, profile) }
        let lists = element.children("CRL").flatMap { child in
            let path = text(of: child)
            let lists = revocationLists(path, child)
            trust.append(TrustEntry(profile: profile, role: .list, path: path, line: child.line, lists: lists))
            return lists
        }
        var policy = TrustPolicy(anchors: anchors, intermediates: intermediates, revocationLists: lists)
        policy.allowsWeakAlgorithms = flag("allowWeak", of: element)
        policy.certificatePolicies = certificatePolicies(element)
        // A revoked certificate passes only where somebody has said that it may.
        policy.revocation = .present
        if element.attribute("revocation") != nil,
            let revocation: TrustPolicy.Revocation = choice("revocation", of: element)
        {
            policy.revocation = revocation
        }
        if let time = single("VerificationTime", in: element) {
            policy.verificationTime = RFC3339Time.unixSeconds(text(of: time))
            if policy.verificationTime == nil {
                fault(time, "\"\(time.trimmedText)\" is no time: expected 2026-01-31T12:00:00Z")
            }
        }
        return policy
    }

    private func trusted(_ element: XMLElement, _ role: TrustEntry.Role, _ profile: String) -> [Certificate] {
        let path = text(of: element)
        let found = certificates(path, element)
        trust.append(TrustEntry(profile: profile, role: role, path: path, line: element.line, certificates: found))
        return found
    }

    /// Reads the inputs of RFC 5280 §6.1.1. Policies that are named are required, unless requirePolicy="false" says
    /// otherwise.
    private func certificatePolicies(_ element: XMLElement) -> CertificatePolicies {
        var policies = CertificatePolicies()
        for child in element.children("Policy") {
            let text = text(of: child)
            guard CertificatePolicies.isObjectIdentifier(text) else {
                fault(child, "\"\(text)\" is not a certificate policy: expected an object identifier such as 1.2.3.4")
                continue
            }
            policies.acceptable.append(text)
        }
        policies.isRequired =
            element.attribute("requirePolicy") == nil
            ? !policies.acceptable.isEmpty : flag("requirePolicy", of: element)
        policies.inhibitsMapping = flag("inhibitPolicyMapping", of: element)
        policies.inhibitsAnyPolicy = flag("inhibitAnyPolicy", of: element)
        return policies
    }

    private func level(
        _ element: XMLElement, _ format: SigningServerConfiguration.SigningProfile.Format
    ) -> SigningServerConfiguration.SigningProfile.Level? {
        guard element.attribute("level") != nil else { return nil }
        let level: SigningServerConfiguration.SigningProfile.Level? = choice("level", of: element)
        if level == .lt && format != .pdf && format != .auto {
            fault(element, "level=\"LT\" is for format=\"pdf\" and \"auto\", not for \(format.rawValue): use \"T\"")
        }
        return level
    }

    /// The URL of a timestamp authority.
    private func timestampAuthority(
        _ element: XMLElement, _ level: SigningServerConfiguration.SigningProfile.Level?
    ) -> String? {
        let isStamped = level == .t || level == .lt
        guard let url = element.attribute("tsa") else {
            if isStamped {
                fault(
                    element,
                    "level=\"\(level?.rawValue ?? "")\" needs the address of a timestamp authority: add tsa=\"http://…\""
                )
            }
            return nil
        }
        if !isStamped { fault(element, "tsa=\"…\" is asked only at level=\"T\" and \"LT\"") }
        let lowered = url.lowercased()
        guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
            fault(element, "tsa=\"\(url)\" is no address: expected http://… or https://…")
            return nil
        }
        return url
    }

    /// The id of the verification profile by which validation data are gathered.
    private func validation(
        _ element: XMLElement, _ level: SigningServerConfiguration.SigningProfile.Level?, _ known: Set<String>
    ) -> String? {
        guard let id = element.attribute("validation") else {
            if level == .lt {
                fault(
                    element,
                    "level=\"LT\" needs to know whom the signature must convince: add validation=\"…\" with the id of a"
                        + " <VerificationProfile>")
            }
            return nil
        }
        if level != .lt { fault(element, "validation=\"…\" is used only at level=\"LT\"") }
        guard known.contains(id) else {
            fault(element, "there is no verification profile \"\(id)\"")
            return nil
        }
        return id
    }
}
