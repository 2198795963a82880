import ArgumentParser
import FoundationEssentials
import Glibc
import HostProcess
import ProgramCommands
import SigningServer

struct Initialise: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a directory with a demonstration CA, keys and dss.xml.",
        discussion: """
            Without --domain the keys and the client are those of the sample configurations. With it there is a key "seal" \
            for the mail of the domain and a key "seal_documents" for its documents, and the client is "ses".
            """)

    @Argument(help: "The directory to make.") var directory: String
    @Option(help: "The mail domain of the organisation that the keys are for.") var domain: String?
    @Option(help: "The address in the certificate for mail (else postmaster at the domain).") var address: String?

    func perform() async throws(ProgramError) -> ExitStatus {
        guard domain != nil || address == nil else { throw ProgramError(.usage, "--address needs --domain") }
        // The keys must belong to the user that the server runs as, who owns the directory that a package has made.
        if let trouble = Account.becomeOwner(of: directory) { throw ProgramError(.noPermission, trouble) }
        do {
            try DemonstrationSite.make(
                in: directory,
                for: domain.map { .init(domain: $0, address: address ?? "postmaster@" + $0) }, now: Int(time(nil)))
        } catch {
            throw ProgramError(.cannotCreate, "\(error)")
        }
        let place = URL(fileURLWithPath: directory).standardizedFileURL.path + "/" + DemonstrationSite.socket
        Console.write(
            """
            made \(directory): ca.pem, keys and dss.xml
            start it with: ses-dss run --config \(directory)/dss.xml
            addresses for ses.xml: http://unix:\(place):/adss/signing/dss and http://unix:\(place):/adss/verification/dss
            """)
        return .success
    }
}
