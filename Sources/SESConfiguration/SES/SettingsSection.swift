import InternetMessage
import Workflows
import XMLReading

/// The content of `Settings`, before it is known which of it the rest of the document needs.
struct SettingsSection {
    var domainNames: [String] = []
    var administrator: AddrSpec?
    /// True if there is an `AdminEmailAddress`, valid or not.
    var namesAdministrator = false
    var originatorID: String?
    var errorAction: Located<RoutingAction>?
    var signing: ServiceSection?
    var verification: ServiceSection?
    var proxy: ProxySettings?
    var clientPFX: (pfx: ClientPFX, line: Int)?
    /// Passwords in the file itself.
    var hasPasswordInText = false
    /// The line of `Settings`, for what is missing in it.
    var line: Int
}

/// `SigningServiceSettings` or `VerificationServiceSettings`.
struct ServiceSection {
    var addresses: ServiceAddresses?
    /// True if there is an address, valid or not.
    var namesAddress = false
    var noFilterAction: Located<RoutingAction>?
    /// Of the verification service only.
    var notTrustedAction: Located<RoutingAction>?
    var line: Int
}

/// The two services; they differ in the names of their elements.
enum ServiceKind: String {
    case signing = "Signing"
    case verification = "Verification"

    var settings: String { rawValue + "ServiceSettings" }
    var address: String { rawValue + "ServiceAddress" }
}

extension ConfigurationReading {
    /// Elements that may be in `Settings` or directly in `SES`; the original's guide leaves this open.
    static let movable = [
        ServiceKind.signing.settings, ServiceKind.verification.settings, "ProxySettings", "ClientAuthPfxSettings",
        "Outgoing", "Incoming",
    ]

    /// The one element called `name` among the children of `Settings` and of `SES`.
    func movable(_ name: String, root: XMLElement, settings: XMLElement?) -> XMLElement? {
        let inside = settings?.child(name)
        let outside = root.child(name)
        if let inside, let outside {
            fault(
                .repeated, line: outside.line,
                "<\(name)> stands in <SES> and, on line \(inside.line), in <Settings>", expected: "it in one of them")
        }
        return inside ?? outside
    }

    func readSettings(root: XMLElement) -> SettingsSection {
        let settings = root.child("Settings")
        var section = SettingsSection(line: settings?.line ?? root.line)
        if let settings {
            inspect(
                settings,
                children: ["DomainName", "AdminEmailAddress", "OriginatorId", "EmailErrorAction"] + Self.movable,
                repeatable: ["DomainName"])
            for element in settings.children("DomainName") {
                guard let domain = domain(filledLeaf(element)) else { continue }
                if !section.domainNames.contains(domain) { section.domainNames.append(domain) }
            }
            if settings.child("DomainName") == nil { missing("<DomainName>", in: settings) }
            section.namesAdministrator = settings.child("AdminEmailAddress") != nil
            section.administrator = address(filledLeaf(settings.child("AdminEmailAddress")))
            if let originator = settings.child("OriginatorId") {
                section.originatorID = filledLeaf(originator)?.value
            } else {
                missing("<OriginatorId>", in: settings)
            }
            section.errorAction = action(settings.child("EmailErrorAction"))
        } else {
            missing("<Settings>", in: root)
        }
        section.signing = readService(.signing, root: root, settings: settings)
        section.verification = readService(.verification, root: root, settings: settings)
        if let element = movable("ProxySettings", root: root, settings: settings) {
            section.proxy = readProxy(element, &section)
        }
        if let element = movable("ClientAuthPfxSettings", root: root, settings: settings) {
            section.clientPFX = readClientPFX(element, &section).map { ($0, element.line) }
        }
        return section
    }

    /// A routing action; nil when the element is absent or wrong.
    func action(_ element: XMLElement?) -> Located<RoutingAction>? {
        guard let text = leaf(element), let action = word(text, as: RoutingAction.self) else { return nil }
        return Located(action, line: text.line, place: text.place)
    }

    private func readService(_ kind: ServiceKind, root: XMLElement, settings: XMLElement?) -> ServiceSection? {
        guard let element = movable(kind.settings, root: root, settings: settings) else { return nil }
        var known = [kind.address, "NoFilterAction"]
        if kind == .verification { known.append("ResponseNotTrustedAction") }
        inspect(element, children: known)
        var section = ServiceSection(line: element.line)
        section.noFilterAction = action(element.child("NoFilterAction"))
        if kind == .verification { section.notTrustedAction = action(element.child("ResponseNotTrustedAction")) }
        if let addresses = element.child(kind.address) {
            inspect(addresses, children: ["PrimaryAddress", "SecondaryAddress"])
            let primary = url(filledLeaf(addresses.child("PrimaryAddress")))
            let secondaryText = leaf(addresses.child("SecondaryAddress"))
            // The original's files have an empty secondary address if there is none.
            let secondary = url(secondaryText.flatMap { $0.value.isEmpty ? nil : $0 })
            section.namesAddress = !addresses.children.isEmpty
            if let primary { section.addresses = ServiceAddresses(primary: primary, secondary: secondary) }
            if addresses.child("PrimaryAddress") == nil, addresses.child("SecondaryAddress") != nil {
                missing("<PrimaryAddress>", in: addresses)
            }
            if let primary, primary == secondary, let secondaryText {
                warn(
                    .sameSecondary, line: secondaryText.line,
                    "<SecondaryAddress> is the same as <PrimaryAddress>: when that server is down there is no other;"
                        + " name another one or leave it out")
            }
        }
        return section
    }

    private func readProxy(_ element: XMLElement, _ section: inout SettingsSection) -> ProxySettings? {
        inspect(element, children: ["ProxyHost", "ProxyPort", "Credentials"], attributes: ["status"])
        let isOn = status(of: element)
        let credentials = element.child("Credentials")
        if let credentials {
            inspect(
                credentials, children: ["ProxyUserName", "ProxyPassword", "AuthenticationScheme"],
                attributes: ["status"])
        }
        let needsCredentials = credentials.flatMap { status(of: $0) } == true
        let schemeText = leaf(credentials?.child("AuthenticationScheme"))
        let scheme = word(
            schemeText.flatMap { $0.value.isEmpty ? nil : $0 }, as: ProxySettings.AuthenticationScheme.self)
        guard isOn == true else { return nil }
        for name in ["ProxyHost", "ProxyPort"] where element.child(name) == nil {
            missing("<\(name)>", in: element, because: "the proxy is enabled")
        }
        let host = host(filledLeaf(element.child("ProxyHost")))
        let port = integer(filledLeaf(element.child("ProxyPort")), in: 1...65_535)
        var login: ProxySettings.Credentials?
        if let credentials, needsCredentials {
            if credentials.child("ProxyUserName") == nil { missing("<ProxyUserName>", in: credentials) }
            let user = filledLeaf(credentials.child("ProxyUserName"))?.value
            let password = secret("ProxyPassword", in: credentials, isInText: &section.hasPasswordInText)
            if let user, let password {
                login = ProxySettings.Credentials(user: user, password: password, scheme: scheme ?? .basic)
            }
        }
        guard let host, let port else { return nil }
        return ProxySettings(host: host, port: port, credentials: login)
    }

    private func readClientPFX(_ element: XMLElement, _ section: inout SettingsSection) -> ClientPFX? {
        inspect(element, children: ["PfxFilePath", "PfxPassword"], attributes: ["status"])
        guard status(of: element) == true else { return nil }
        if element.child("PfxFilePath") == nil {
            missing("<PfxFilePath>", in: element, because: "the client certificate is enabled")
        }
        let file = path(filledLeaf(element.child("PfxFilePath")))
        let password = secret("PfxPassword", in: element, isInText: &section.hasPasswordInText)
        guard let file, let password else { return nil }
        return ClientPFX(path: file, password: password)
    }

    private func status(of element: XMLElement) -> Bool? {
        guard let text = attribute("status", of: element) else {
            fault(
                .missing, line: element.line, "the attribute status is missing in <\(element.localName)>",
                expected: "one of enable, disable")
            return nil
        }
        return isEnabled(text)
    }
}
