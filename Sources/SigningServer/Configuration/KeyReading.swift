import CMSSignatures
import HostProcess
import KeyTokens
import Octets
import XMLReading

/// The keys: where they are kept, and what opens them.
extension DSSConfigurationReading {
    func tls(_ element: XMLElement) -> SigningServerConfiguration.TLSSettings? {
        inspect(element, attributes: ["pfx", "pem", "certificate", "password", "file", "env", "clientCA"])
        guard let key = keyFile(element) else { return nil }
        let authorities = element.attribute("clientCA").map { certificates($0, element) }
        return SigningServerConfiguration.TLSSettings(key: key.key, clientAuthorities: authorities)
    }

    func keys(_ root: XMLElement) -> KeyStore {
        var store = KeyStore()
        for element in root.children("Key") {
            inspect(
                element,
                attributes: [
                    "alias", "pfx", "pem", "pkcs11", "module", "certificate", "password", "file", "env", "default",
                ])
            guard let alias = required("alias", of: element) else { continue }
            let isInToken = element.attribute("pkcs11") != nil
            guard let key = isInToken ? tokenKey(element, alias) : keyFile(element, alias) else { continue }
            if let obstacle = key.key.obstacle { fault(element, "the key \"\(alias)\": \(obstacle)") }
            if !store.add(key, isDefault: flag("default", of: element)) {
                fault(element, "the alias \"\(alias)\", or a default key, is there twice")
            }
        }
        return store
    }

    // MARK: Files

    /// The key in the file that `pfx` (PKCS #12) or `pem` names, opened with `password`, or what `file` or `env` names.
    private func keyFile(_ element: XMLElement, _ alias: String = "") -> StoredKey? {
        if element.attribute("module") != nil { fault(element, "module=\"…\" goes with pkcs11=\"…\"") }
        let kind: StoredKey.Kind = element.attribute("pem") == nil ? .pfx : .pem
        if kind == .pem, element.attribute("pfx") != nil {
            fault(element, "pfx=\"…\" and pem=\"…\" exclude each other")
            return nil
        }
        guard let path = required(kind == .pem ? "pem" : "pfx", of: element) else { return nil }
        let isLocked = kind == .pfx || ["password", "file", "env"].contains { element.attribute($0) != nil }
        var secret: String?
        if isLocked {
            secret = password(element)
            if secret == nil { return nil }
        }
        refuseReadable(resolved(path), what: "a private key", element)
        guard let octets = octets(of: path, element, "the key") else { return nil }
        let more = element.attribute("certificate").map { certificates($0, element) } ?? []
        do throws(CryptographyError) {
            let key: SigningKey
            switch kind {
            case .pfx: key = try PKCS12.load(octets, password: secret ?? "").adding(more)
            case .pem where more.isEmpty: key = try SigningKey.readPEM(octets, password: secret)
            case .pem:
                let enclosed = octets.text.contains("BEGIN CERTIFICATE") ? try Certificate.readAll(octets) : []
                key = try SigningKey(try PrivateKey(pem: octets, password: secret), certificates: enclosed + more)
            case .token: return nil
            }
            let files = [path, element.attribute("certificate"), element.attribute("file")].compactMap { $0 }
            return StoredKey(key, alias: alias, kind: kind, files: files)
        } catch {
            fault(element, "\(resolved(path)): \(error.reason)")
            return nil
        }
    }

    private func password(_ element: XMLElement) -> String? {
        let given = ["password", "file", "env"].filter { element.attribute($0) != nil }
        guard given.count == 1 else {
            fault(element, "expected one of password=\"…\", file=\"…\" and env=\"…\", found \(given.count)")
            return nil
        }
        if let text = element.attribute("password") {
            hasPasswordInText = true
            return text
        }
        if let variable = element.attribute("env") {
            if let value = environment[variable] { return value }
            fault(element, "the environment has no \"\(variable)\"")
            return nil
        }
        let path = element.attribute("file") ?? ""
        refuseReadable(resolved(path), what: "a password", element)
        return firstLine(of: path, element, "the password")
    }

    private func octets(of path: String, _ element: XMLElement, _ what: String, limit: Int = 16 << 20) -> OctetString? {
        switch SmallFile.read(resolved(path), limit: limit) {
        case .success(let octets): return octets
        case .failure(let error):
            fault(element, "\(what) cannot be read: \(error)")
            return nil
        }
    }

    private func firstLine(of path: String, _ element: XMLElement, _ what: String) -> String? {
        octets(of: path, element, what, limit: 4_096).map { octets in
            String(octets.text.prefix { $0 != "\n" && $0 != "\r\n" && $0 != "\r" })
        }
    }

    // MARK: Tokens

    /// The key that `pkcs11` names by a URI (RFC 7512); its certificate is in the file `certificate`, or in the token.
    private func tokenKey(_ element: XMLElement, _ alias: String) -> StoredKey? {
        for name in ["pfx", "pem", "password", "env"] where element.attribute(name) != nil {
            fault(element, "\(name)=\"…\" does not go with pkcs11=\"…\"; the PIN stands in a file: file=\"…\"")
        }
        do throws(TokenError) {
            let address = try TokenAddress(required("pkcs11", of: element) ?? "")
            guard let module = element.attribute("module") ?? address.modulePath else {
                fault(element, "the PKCS #11 module is not named: add module=\"/usr/lib/…/….so\"")
                return nil
            }
            var pin: String?
            if let path = element.attribute("file") ?? address.pinPath {
                guard !SmallFile.isReadableByOthers(resolved(path)) else {
                    fault(element, "\(resolved(path)) holds a PIN and others can read it: chmod 600 it")
                    return nil
                }
                pin = firstLine(of: path, element, "the PIN")
                if pin == nil { return nil }
            }
            let token = try TokenKey(address, modulePath: resolved(module), pin: pin)
            guard let key = signingKey(token, element) else { return nil }
            let files = [element.attribute("certificate"), element.attribute("file")].compactMap { $0 }
            return StoredKey(key, alias: alias, kind: .token, files: files, token: token)
        } catch {
            fault(element, error.reason)
            return nil
        }
    }

    private func signingKey(_ token: TokenKey, _ element: XMLElement) -> SigningKey? {
        let isInFile = element.attribute("certificate") != nil
        do throws(TokenError) { try token.probe() } catch {
            // A device that is away comes back; the other keys are served meanwhile.
            guard isInFile, error.kind == .unavailable else {
                let advice =
                    error.kind == .unavailable
                    ? "; with certificate=\"…\" in a file the server starts without the token" : ""
                fault(element, error.reason + advice)
                return nil
            }
            warnings.append("the key in \(token.address) cannot be used now: \(error.reason)")
        }
        let certificates: [Certificate]
        if let path = element.attribute("certificate") {
            certificates = self.certificates(path, element)
        } else {
            do {
                certificates = [try Certificate(der: try token.certificate())]
            } catch {
                fault(element, "\(error); or name a file: certificate=\"…\"")
                return nil
            }
        }
        // The key's own comes first, as in a TLS configuration.
        guard let own = certificates.first else { return nil }
        do throws(CryptographyError) {
            return try SigningKey(
                remote: TokenSigner(key: token), certificate: own, chain: Array(certificates.dropFirst()))
        } catch {
            fault(element, error.reason)
            return nil
        }
    }
}
