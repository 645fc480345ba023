import { Link } from "react-router-dom";
import { useProjects } from "../../api/queries.ts";
import { useTitle } from "../../lib/hooks.ts";
import { ButtonLink, Empty, Failure, Page, Skeleton } from "../../ui/kit.tsx";
import { Time } from "../../ui/text.tsx";

export default function Projects() {
  useTitle("Projects");
  const projects = useProjects();
  return (
    <Page title="Projects" actions={<ButtonLink to="/projects/new" look="primary" icon="plus">New project</ButtonLink>}>
      {projects.isPending && <Skeleton rows={4} height={72} />}
      {projects.isError && <Failure error={projects.error} retry={() => void projects.refetch()} />}
      {projects.data?.length === 0 && (
        <Empty icon="projects" title="No projects yet" action={<ButtonLink to="/projects/new" look="primary" icon="plus">Create the first one</ButtonLink>}>
          A project is one app or service.
        </Empty>
      )}
      <ul className="cards">
        {projects.data?.map((project) => (
          <li key={project.id}>
            <h2><Link to={`/projects/${project.id}`} className="cover">{project.name}</Link></h2>
            <p className="muted">
              <span className="shortid">{project.prefix}</span>
              {project.team !== null && project.team !== undefined && <> · {project.team.name}</>} · made <Time at={project.created_at} />
            </p>
            <p className="cardlinks">
              <Link to={`/issues?project=${encodeURIComponent(project.name)}`}>Issues</Link>
              <Link to={`/projects/${project.id}?tab=setup`}>Set-up</Link>
              <Link to={`/releases?project=${encodeURIComponent(project.name)}`}>Releases</Link>
            </p>
          </li>
        ))}
      </ul>
    </Page>
  );
}
