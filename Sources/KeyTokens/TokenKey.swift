import CPKCS11
public import Octets
import Synchronization

/// A private key in a token: a smart card, an HSM, or what passes for one. Calls block as long as the device does.
public final class TokenKey: Sendable {
    /// The kinds of signature.
    public enum Mechanism: Sendable, Hashable {
        /// CKM_RSA_PKCS, of a DigestInfo.
        case rsa
        /// CKM_ECDSA, of a digest.
        case ecdsa
    }

    public let address: TokenAddress
    private let uri: TokenURI
    private let module: TokenModule
    private let pin: [CChar]

    /// A session with the key found in it.
    private struct Opened {
        let session: CK_SESSION_HANDLE
        let key: CK_OBJECT_HANDLE
        let generation: Int
    }
    private let idle = Mutex<[Opened]>([])
    private static let maximumIdle = 8
    /// Octets of the largest signature (RSA of 16384 bits), and of the largest certificate.
    private static let signatureRoom = 2_048
    private static let certificateRoom = 64 << 10

    /// Names a key; the token is not asked yet.
    /// - Parameters:
    ///   - modulePath: The file of the PKCS #11 module.
    ///   - pin: nil for a token that asks for none.
    /// - Throws: ``TokenError/Kind/address`` if the module cannot be loaded.
    public init(_ address: TokenAddress, modulePath: String, pin: String?) throws(TokenError) {
        self.address = address
        uri = try TokenURI(address.text)
        module = try TokenModule.at(modulePath)
        self.pin = pin.map { Array($0.utf8CString.dropLast()) } ?? []
    }

    /// Looks for the key.
    /// - Throws: ``TokenError`` if it is not there, or the PIN is wrong.
    public func probe() throws(TokenError) {
        try module.calling { generation throws(TokenError) in keep(try open(generation)) }
    }

    /// The certificate in the token that has the id or the label of the key; DER.
    /// - Throws: ``TokenError`` if there is none, or there are several.
    public func certificate() throws(TokenError) -> OctetString {
        try module.calling { generation throws(TokenError) in
            let opened = try open(generation)
            defer { keep(opened) }
            let object = try find(cpkcs11_certificate, "certificate", in: opened.session)
            var octets = [UInt8](repeating: 0, count: Self.certificateRoom)
            var room = CK_ULONG(octets.count)
            let code = cpkcs11_value(module.functions, opened.session, object, &octets, &room)
            guard code == cpkcs11_ok, room <= octets.count else {
                throw failure("does not give the certificate", code)
            }
            return OctetString(octets.prefix(Int(room)))
        }
    }

    /// Signs. A session that was lost is opened again, and a token that was away is looked for.
    /// - Throws: ``TokenError/Kind/unavailable`` if it does not work now, ``TokenError/Kind/pin`` for a wrong PIN.
    public func sign(_ octets: OctetString, _ mechanism: Mechanism) throws(TokenError) -> OctetString {
        let how = mechanism == .rsa ? cpkcs11_rsa : cpkcs11_ecdsa
        return try module.calling { generation throws(TokenError) in
            var generation = generation
            if let opened = popIdle(generation) {
                if let signature = try? sign(octets, how, opened) { return signature }
                // Whatever it was, a fresh session tells whether it is over. The others are no better.
                discardSessions()
                generation = module.generation
            }
            return try sign(octets, how, try open(generation))
        }
    }

    /// Closes the sessions that wait, so that the key is looked for again.
    public func discardSessions() {
        let dropped = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        let generation = module.generation
        for opened in dropped where opened.generation == generation {
            _ = cpkcs11_close(module.functions, opened.session)
        }
    }

    private func sign(
        _ octets: OctetString, _ mechanism: CK_MECHANISM_TYPE, _ opened: Opened
    ) throws(TokenError) -> OctetString {
        var signature = [UInt8](repeating: 0, count: Self.signatureRoom)
        var room = CK_ULONG(signature.count)
        let code = octets.withUnsafeBytes { data in
            cpkcs11_sign(
                module.functions, opened.session, opened.key, mechanism, pin, pin.count,
                data.bindMemory(to: UInt8.self).baseAddress, data.count, &signature, &room)
        }
        guard code == cpkcs11_ok else {
            _ = cpkcs11_close(module.functions, opened.session)
            throw failure("does not sign", code)
        }
        keep(opened)
        return OctetString(signature.prefix(Int(room)))
    }

    // MARK: Sessions

    private func popIdle(_ generation: Int) -> Opened? {
        idle.withLock { idle in
            idle.removeAll { $0.generation != generation }
            return idle.popLast()
        }
    }

    private func keep(_ opened: Opened) {
        let isKept = idle.withLock { idle in
            guard idle.count < Self.maximumIdle else { return false }
            idle.append(opened)
            return true
        }
        if !isKept { _ = cpkcs11_close(module.functions, opened.session) }
    }

    private func open(_ generation: Int) throws(TokenError) -> Opened {
        do throws(TokenError) { return try openOnce(generation) } catch {
            // A wrong PIN locks a token after few attempts.
            guard error.kind == .unavailable, let fresh = module.reset() else { throw error }
            return try openOnce(fresh)
        }
    }

    private func openOnce(_ generation: Int) throws(TokenError) -> Opened {
        var slot = CK_SLOT_ID()
        var count: Int32 = 0
        let looked = cpkcs11_find_token(module.functions, uri.raw, &slot, &count)
        guard looked == cpkcs11_ok else { throw failure("cannot be looked for", looked) }
        guard count > 0 else {
            throw TokenError(.unavailable, "the token of \(address) is not there: connect or start it")
        }
        guard count == 1 else {
            throw TokenError(.address, "\(count) tokens are named by \(address): add its serial")
        }
        var session = CK_SESSION_HANDLE()
        let opened = cpkcs11_open(module.functions, slot, &session)
        guard opened == cpkcs11_ok else { throw failure("gives no session", opened) }
        do throws(TokenError) {
            if !pin.isEmpty {
                let code = cpkcs11_login(module.functions, session, pin, pin.count)
                if [cpkcs11_wrong_pin, cpkcs11_locked_pin].contains(code) {
                    throw TokenError(
                        .pin,
                        "the token of \(address) does not take the PIN: \(TokenModule.words(code));"
                            + " correct the file with the PIN")
                }
                guard code == cpkcs11_ok else { throw failure("does not let in", code) }
            }
            let key = try find(cpkcs11_private_key, "private key", in: session)
            return Opened(session: session, key: key, generation: generation)
        } catch {
            _ = cpkcs11_close(module.functions, session)
            throw error
        }
    }

    private func find(
        _ kind: CK_OBJECT_CLASS, _ words: String, in session: CK_SESSION_HANDLE
    ) throws(TokenError) -> CK_OBJECT_HANDLE {
        var found = CK_OBJECT_HANDLE()
        var count: Int32 = 0
        let code = cpkcs11_find_object(module.functions, session, uri.raw, kind, &found, &count)
        guard code == cpkcs11_ok else { throw failure("cannot be searched", code) }
        guard count > 0 else {
            throw TokenError(.unavailable, "the token has no \(words) that \(address) names")
        }
        guard count == 1 else {
            throw TokenError(.address, "several objects are named by \(address): add id= or object= of the \(words)")
        }
        return found
    }

    private func failure(_ words: String, _ code: CK_RV) -> TokenError {
        TokenError(.unavailable, "the token of \(address) \(words): \(TokenModule.words(code))")
    }
}
