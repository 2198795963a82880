import ArgumentParser
import Foundation
import HostProcess
import ProgramCommands
import SigningServer

struct Initialise: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a directory with a demonstration CA, keys and dss.xml.")

    @Argument(help: "The directory to make.") var directory: String

    func perform() async throws(ProgramError) -> ExitStatus {
        // The keys must belong to the user that the server runs as, who owns the directory that a package has made.
        if let trouble = Account.becomeOwner(of: directory) { throw ProgramError(.noPermission, trouble) }
        do {
            try DemonstrationSite.make(in: directory, now: Int(time(nil)))
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
