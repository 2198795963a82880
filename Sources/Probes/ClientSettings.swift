package import CMSSignatures
package import DSSClient
import FoundationEssentials
package import HostProcess
import Octets
package import SESConfiguration

/// The settings for reaching the signing server, from the configuration.
extension SESSettings {
    /// - Throws: ``ProgramError`` when the client certificate cannot be used: better now than with the first message.
    package func clientConfiguration() throws(ProgramError) -> DSSClientConfiguration {
        var client = DSSClientConfiguration(
            signing: signing.map { .init(primary: $0.primary, secondary: $0.secondary) },
            verification: verification.map { .init(primary: $0.primary, secondary: $0.secondary) }, dialect: dialect)
        client.proxy = proxy.map { proxy in
            DSSClientConfiguration.Proxy(
                host: proxy.host, port: proxy.port,
                credentials: proxy.credentials.map {
                    (user: $0.user, password: $0.password.reveal(), scheme: $0.scheme == .basic ? .basic : .digest)
                })
        }
        if let pfx = clientPFX {
            let octets = try Self.read(pfx)
            client.clientCertificate = .octets(octets.array, password: pfx.password.reveal())
        }
        client.trustStore = processing.trustStore
        client.connectTimeout = .seconds(processing.connectTimeout)
        client.totalTimeout = .seconds(processing.totalTimeout)
        // Base64 in XML takes a third more than the document that comes back.
        client.maximumAnswer = processing.maxMessageSize / 2 * 3 + (16 << 20)
        return client
    }

    /// Returns the reason why the client certificate cannot be used, for `ses check`; nil if it can, or there is none.
    ///
    /// - Parameter now: Unix seconds.
    package func clientCertificateProblem(now: Int) -> String? {
        guard let pfx = clientPFX else { return nil }
        do {
            let octets = try Self.read(pfx)
            let key = try PKCS12.load(octets, password: pfx.password.reveal())
            if let notAfter = key.certificate.notAfter, notAfter < now {
                return "\(pfx.path): the client certificate \(key.certificate.subject) has expired; have it renewed"
            }
            if let notBefore = key.certificate.notBefore, notBefore > now {
                return "\(pfx.path): the client certificate \(key.certificate.subject) is not valid yet"
            }
            return nil
        } catch let error as ProgramError {
            return error.text
        } catch {
            return "\(pfx.path): \(error)"
        }
    }

    /// The certificate that the signing server knows us by.
    /// - Throws: ``ProgramError`` when the file of it cannot be used.
    /// - Returns: nil if there is none.
    package func clientCertificate() throws(ProgramError) -> Certificate? {
        guard let pfx = clientPFX else { return nil }
        let octets = try Self.read(pfx)
        do {
            return try PKCS12.load(octets, password: pfx.password.reveal()).certificate
        } catch {
            throw ProgramError(.configuration, "PfxFilePath: \(pfx.path): \(error.reason)")
        }
    }

    private static func read(_ pfx: ClientPFX) throws(ProgramError) -> OctetString {
        let octets: OctetString
        switch SmallFile.read(pfx.path) {
        case .success(let read): octets = read
        case .failure(let error): throw ProgramError(.configuration, "PfxFilePath cannot be read: \(error)")
        }
        do {
            _ = try PKCS12.load(octets, password: pfx.password.reveal())
        } catch {
            throw ProgramError(.configuration, "PfxFilePath: \(pfx.path): \(error.reason)")
        }
        return octets
    }
}
